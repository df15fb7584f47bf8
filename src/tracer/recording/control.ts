import { lstatSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { basename, join } from 'node:path';
import { isMainThread } from 'node:worker_threads';

import { ClewError, messageOf } from '../../base/errors.ts';
import { say } from '../../base/log.ts';
import { makeFolder } from '../../base/make-folder.ts';
import { runUntraced } from '../owner.ts';
import type { TracerLevel } from '../record.ts';
import { FileRecorder, type FileRecorderOptions } from './file-recorder.ts';

/*
 * Lets `clew record` and a running process communicate: by files in a folder that only their user
 * can enter, and by a signal. No port is opened.
 *
 *   <pid>.json           the process listens; removed when it ends
 *   <pid>.request.json   the request of the command; removed by the process
 *   <pid>.status.json    the result
 */

/** How a listening process describes itself. */
export interface Announcement {
  pid: number;
  signal: NodeJS.Signals;
  /** When the system started the process: the pid alone may have been reused by another process. */
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

/** The contents of a recording. */
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

/**
 * Returns the folder for the files above, and creates it if necessary. Refuses it if another user
 * could write to it.
 */
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

/** Returns when a process was started; empty if the system does not report it. */
export function startOf(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The name in brackets may hold spaces; the start is the 22nd field, the 20th after it.
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '';
  } catch {
    return '';
  }
}

/** Reads JSON; undefined if the file is missing or incomplete. */
export function readJson<Shape>(file: string): Shape | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Shape;
  } catch {
    return undefined;
  }
}

/** Writes a file atomically. */
export function writeJson(file: string, value: object): void {
  writeFileSync(`${file}.new`, JSON.stringify(value), { mode: 0o600 });
  renameSync(`${file}.new`, file);
}

export interface ListenOptions {
  signal: NodeJS.Signals;
  /** The folder for recordings that were started by a signal alone. */
  folder: string;
  /** The tracer of the process, whose level the command can change. */
  tracer: { readonly level: TracerLevel; setLevel(level: TracerLevel): unknown };
}

/**
 * Lets a signal start a recording; a second signal ends it early. Returns a function that undoes
 * it. If the folder or the signal is not available, it logs that and the application keeps running.
 */
export function listenForRecordings({ signal, folder, tracer }: ListenOptions): () => void {
  // Signals are delivered to the main thread, and the files are named by process.
  if (!isMainThread) return () => undefined;
  let recorder: FileRecorder | undefined;
  const onSignal = (): void => {
    runUntraced(() => {
      const request = takeRequest();
      if (request?.level !== undefined) return changeLevel(tracer, request);
      if (recorder) {
        // Only a signal without a request refers to the running recording.
        if (!request) recorder.end();
        else
          report(
            request.id,
            'failed',
            'a recording is already running; try again when it has ended',
          );
        return;
      }
      const file = request?.file ?? join(folder, `recording-${timestamp()}-${process.pid}.clew`);
      try {
        recorder = new FileRecorder({ ...limitsOf(request), file, onEnd: finished(request?.id) });
        report(request?.id, 'recording', `recording into ${file}`);
        say('info', `recording into ${file}`);
      } catch (error) {
        report(request?.id, 'failed', messageOf(error));
        say('warn', messageOf(error));
      }
    });
  };
  const finished =
    (id: string | undefined): NonNullable<FileRecorderOptions['onEnd']> =>
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
    runUntraced(() => process.on(signal, onSignal));
  } catch (error) {
    say('warn', `recordings cannot be started by ${signal}: ${messageOf(error)}`);
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
    say('info', `the tracer is now at level ${level} (before: ${before})`);
  } catch (error) {
    report(id, 'failed', messageOf(error));
  }
}

function limitsOf(
  request: RecordRequest | undefined,
): Pick<FileRecorderOptions, 'forMillis' | 'requests'> {
  const limits: Pick<FileRecorderOptions, 'forMillis' | 'requests'> = {};
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
    // The command that made the request will report that the process did not respond.
  }
}

function removeQuietly(file: string): void {
  try {
    rmSync(file, { force: true });
  } catch {
    // The folder was deleted, and the file with it.
  }
}

/** Returns a time that sorts and can be part of a file name. */
export function timestamp(now: Date = new Date()): string {
  return now.toISOString().replaceAll(/[:.]/g, '-');
}
