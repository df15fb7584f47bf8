import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';

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
  /** Milliseconds since 1970. */
  since: number;
}

const NAME = /^viewer-\d+-\d+\.json$/;
const MAX_FILES = 100;

/** Has the viewer at `origin` found until the undo is called; where that cannot be, `--from` finds it. */
export function announceViewer(origin: string): () => void {
  let file: string;
  try {
    file = join(controlFolder(), `viewer-${process.pid}-${new URL(origin).port}.json`);
    const { pid } = process;
    writeJson(file, {
      pid,
      started: startOf(pid),
      origin,
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

/** The addresses of the viewers that run, the one that was started last first. */
export function runningViewers(): string[] {
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
  return found.toSorted((a, b) => b.since - a.since).map(({ origin }) => origin);
}

function removeQuietly(file: string): void {
  try {
    rmSync(file, { force: true });
  } catch {
    // The folder is gone, and the file with it.
  }
}
