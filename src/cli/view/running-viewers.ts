import { readdirSync, rmSync } from 'node:fs';
import { join, sep } from 'node:path';

import { isRunning } from '../../base/is-running.ts';
import { controlFolder, readJson, startOf, writeJson } from '../../tracer/recording/control.ts';

/*
 * How `clew show`, `clew export` and `clew mcp` find a viewer at whatever port it listens: each viewer
 * has a file in the folder that only its user can enter. No token is in it.
 */

interface RunningFile {
  pid: number;
  /** When the system started the process: a pid alone may be another one's by now. */
  started: string;
  origin: string;
  /** Where it receives spans; the page is there, too. */
  otlpUrl?: string;
  /** Where its command was started. */
  folder: string;
  /** Milliseconds since 1970. */
  since: number;
}

/** A viewer of this user. */
export interface KnownViewer {
  origin: string;
  otlpUrl?: string;
  folder: string;
  /** Whether it was started in this folder, in one within it, or in one that contains it. */
  isHere: boolean;
}

const NAME = /^viewer-\d+-\d+\.json$/;
const MAX_FILES = 100;

/** Has the viewer at `origin` found until the undo is called; where that cannot be, `--from` finds it. */
export function announceViewer(origin: string, otlpUrl?: string): () => void {
  let file: string;
  try {
    file = join(controlFolder(), `viewer-${process.pid}-${new URL(origin).port}.json`);
    const { pid } = process;
    writeJson(file, {
      pid,
      started: startOf(pid),
      origin,
      ...(otlpUrl === undefined ? {} : { otlpUrl }),
      folder: process.cwd(),
      since: Date.now(),
    } satisfies RunningFile);
  } catch {
    return () => undefined;
  }
  const remove = (): void => {
    process.off('exit', remove);
    removeQuietly(file);
  };
  process.once('exit', remove);
  return remove;
}

/** The viewers of this user that run: first those of `here`, and of these the last one first. */
export function runningViewers(here: string = process.cwd()): KnownViewer[] {
  const found: RunningFile[] = [];
  try {
    const folder = controlFolder();
    const names = readdirSync(folder).filter((name) => NAME.test(name));
    for (const name of names.slice(0, MAX_FILES)) {
      const path = join(folder, name);
      const one = readJson<RunningFile>(path);
      if (one && isRunning(one.pid) && startOf(one.pid) === one.started) found.push(one);
      else removeQuietly(path);
    }
  } catch {
    // Without the folder the usual ports are all there is.
  }
  return found
    .map((one) => ({ ...one, distance: distanceOf(one.folder, here) }))
    .toSorted((a, b) => a.distance - b.distance || b.since - a.since)
    .map(({ distance, ...one }) => ({ ...one, isHere: distance < ELSEWHERE }));
}

const ELSEWHERE = 2;

/** 0: it is this folder; 1: one contains the other. */
function distanceOf(folder: string, here: string): number {
  if (folder === here) return 0;
  const isWithin = (inner: string, outer: string): boolean => inner.startsWith(outer + sep);
  return isWithin(folder, here) || isWithin(here, folder) ? 1 : ELSEWHERE;
}

function removeQuietly(file: string): void {
  try {
    rmSync(file, { force: true });
  } catch {
    // The folder is gone, and the file with it.
  }
}
