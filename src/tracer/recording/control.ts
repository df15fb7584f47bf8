import { lstatSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { basename, join } from 'node:path';
import { isMainThread } from 'node:worker_threads';

import { ClewError, messageOf } from '../../base/errors.ts';
import { say } from '../../base/log.ts';
import { makeFolder } from '../../base/make-folder.ts';
import { quietly } from '../owner.ts';
import type { TracerLevel } from '../record.ts';
import { Recorder, type RecorderOptions } from './recorder.ts';

/*
 * How `clew record` and a running process find one another: files in a folder that only their user
 * can enter, and a signal. No port is opened.
 *
 *   <pid>.json           the process listens; removed when it ends
 *   <pid>.request.json   what the command asks for; taken by the process
 *   <pid>.status.json    how it went
 */

/** What a listening process says of itself. */
export interface Announcement {
  pid: number;
  signal: NodeJS.Signals;
  /** When the system started the process: a pid alone may be somebody else's by now. */
  started: string;
  program: string;
}

export interface RecordRequest {
  id: string;
  /** Changes the level of the tracer and records nothing. */
  level?: TracerLevel;
  file: string;
  forMillis?: number;
  requests?: number;
}

/** What is in a recording. */
export interface Recorded {
  file: string;
  requests: number;
  /** Async resources. */
  records: number;
  bytes: number;
}

export interface RecordStatus {
  id: string | undefined;
  state: 'recording' | 'done' | 'failed';
  message: string;
  recorded?: Recorded;
  level?: { now: TracerLevel; before: TracerLevel };
}

/** The folder for the files above, made if need be; refused where another user could write to it. */
export function controlFolder(): string {
  const { uid, username } = userInfo();
  const folder = join(tmpdir(), `clew-${uid >= 0 ? uid : username}`);
  makeFolder(folder, 0o700);
  const stat = lstatSync(folder);
  const isOwn = stat.isDirectory() && (uid < 0 || stat.uid === uid) && (stat.mode & 0o022) === 0;
  if (isOwn || process.platform === 'win32') return folder;
  throw new ClewError('ERR_OPTION', `${folder} can be written to by others; remove it.`);
}

export function announcementFile(pid: number): string {
  return join(controlFolder(), `${pid}.json`);
}

export function requestFile(pid: number): string {
  return join(controlFolder(), `${pid}.request.json`);
}

export function statusFile(pid: number): string {
  return join(controlFolder(), `${pid}.status.json`);
}

/** When a process was started, as far as the system tells; empty where it does not. */
export function startOf(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The name in brackets may hold spaces; the start is the 22nd field, the 20th after it.
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '';
  } catch {
    return '';
  }
}

/** Reads JSON, undefined where the file is missing or half-written. */
export function readJson<Shape>(file: string): Shape | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Shape;
  } catch {
    return undefined;
  }
}

/** Writes a file at once or not at all. */
export function writeJson(file: string, value: object): void {
  writeFileSync(`${file}.new`, JSON.stringify(value), { mode: 0o600 });
  renameSync(`${file}.new`, file);
}

export interface ListenOptions {
  signal: NodeJS.Signals;
  /** Where recordings go that were asked for by a bare signal. */
  folder: string;
  /** The tracer of the process, whose level the command can change. */
  tracer: { readonly level: TracerLevel; setLevel(level: TracerLevel): unknown };
}

/**
 * Lets a signal start a recording; a second one ends it early. Returns the undo. Where the folder
 * or the signal cannot be had, it says so and the application runs on.
 */
export function listenForRecordings({ signal, folder, tracer }: ListenOptions): () => void {
  // Signals come to the main thread, and the files are named by process.
  if (!isMainThread) return () => undefined;
  let recorder: Recorder | undefined;
  const onSignal = (): void => {
    quietly(() => {
      const request = takeRequest();
      if (request?.level !== undefined) return changeLevel(tracer, request);
      if (recorder) {
        // Only a bare signal means the recording that runs.
        if (!request) recorder.end();
        else report(request.id, 'failed', 'a recording is running already; try again after it');
        return;
      }
      const file = request?.file ?? join(folder, `recording-${timestamp()}-${process.pid}.clew`);
      try {
        recorder = new Recorder({ ...limitsOf(request), file, onEnd: finished(request?.id) });
        report(request?.id, 'recording', `recording into ${file}`);
        say('info', `recording into ${file}`);
      } catch (error) {
        report(request?.id, 'failed', messageOf(error));
        say('warn', messageOf(error));
      }
    });
  };
  const finished =
    (id: string | undefined): NonNullable<RecorderOptions['onEnd']> =>
    ({ file, requests, records, bytes }) => {
      recorder = undefined;
      const message = `${requests} requests, ${records} async resources, ${bytes} bytes in ${file}`;
      report(id, 'done', message, { recorded: { file, requests, records, bytes } });
      say('info', `recorded ${message}`);
    };
  const removeAnnouncement = (): void => {
    removeQuietly(announcement);
    removeQuietly(announcement.replace(/json$/, 'request.json'));
  };
  let announcement = '';
  try {
    announcement = announcementFile(process.pid);
    writeJson(announcement, {
      pid: process.pid,
      signal,
      started: startOf(process.pid),
      program: basename(process.argv[1] ?? 'node'),
    } satisfies Announcement);
    quietly(() => process.on(signal, onSignal));
  } catch (error) {
    say('warn', `recordings cannot be asked for by ${signal}: ${messageOf(error)}`);
    return () => undefined;
  }
  process.on('exit', removeAnnouncement);
  return () => {
    process.off(signal, onSignal);
    process.off('exit', removeAnnouncement);
    recorder?.end();
    removeAnnouncement();
  };
}

function changeLevel(tracer: ListenOptions['tracer'], { id, level = 'off' }: RecordRequest): void {
  const before = tracer.level;
  try {
    tracer.setLevel(level);
    const change = { level: { now: level, before } };
    report(id, 'done', `level ${level} (before: ${before})`, change);
    say('info', `the tracer is at level ${level} now (before: ${before})`);
  } catch (error) {
    report(id, 'failed', messageOf(error));
  }
}

function limitsOf(
  request: RecordRequest | undefined,
): Pick<RecorderOptions, 'forMillis' | 'requests'> {
  const limits: Pick<RecorderOptions, 'forMillis' | 'requests'> = {};
  if (request?.forMillis !== undefined) limits.forMillis = request.forMillis;
  if (request?.requests !== undefined) limits.requests = request.requests;
  return limits;
}

function takeRequest(): RecordRequest | undefined {
  const file = requestFile(process.pid);
  const request = readJson<RecordRequest>(file);
  removeQuietly(file);
  return request;
}

function report(
  id: string | undefined,
  state: RecordStatus['state'],
  message: string,
  more: Pick<RecordStatus, 'recorded' | 'level'> = {},
): void {
  if (id === undefined) return;
  try {
    writeJson(statusFile(process.pid), { id, state, message, ...more } satisfies RecordStatus);
  } catch {
    // The command that asked will say that nobody answered.
  }
}

function removeQuietly(file: string): void {
  try {
    rmSync(file, { force: true });
  } catch {
    // The folder is gone, and the file with it.
  }
}

/** A time that sorts and can stand in a file name. */
export function timestamp(now: Date = new Date()): string {
  return now.toISOString().replaceAll(/[:.]/g, '-');
}
