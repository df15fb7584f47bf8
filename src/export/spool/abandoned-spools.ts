import {
  readdirSync,
  renameSync,
  rmdirSync,
  rmSync,
  lstatSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';

import { messageOf } from '../../base/errors.ts';
import { checkFolder, UnsafeSpoolError } from './file-safety.ts';
import { isAbandoned } from './folder-owner.ts';
import { segmentOfSettled } from './delivered-ranges.ts';

/*
 * Takes over the spools of dead processes. A process claims a folder by renaming it into its own:
 * if two try, one succeeds. The files keep their names below the folder they came in, so that a
 * claimant that dies in turn leaves a tree that the next one can walk.
 */

export interface Adopted {
  /** Spool files, oldest first. */
  files: string[];
  /** What was refused, in complete sentences. */
  refused: string[];
}

/** Claims the folders of dead processes below `root` and lists the spool files in them. */
export function adoptAbandoned(root: string, own: string): Adopted {
  const result: Adopted = { files: [], refused: [] };
  for (const name of namesIn(root)) {
    if (!isAbandoned(root, name)) continue;
    const target = join(own, name);
    try {
      checkFolder(join(root, name));
      renameSync(join(root, name), target);
    } catch (error) {
      if (error instanceof UnsafeSpoolError) result.refused.push(`Refused ${error.message}.`);
      else if (!isGone(error)) result.refused.push(`Cannot adopt ${name}: ${messageOf(error)}.`);
      continue;
    }
    collectFiles(target, result);
  }
  result.files.sort((a, b) => timeOf(a) - timeOf(b) || (a < b ? -1 : 1));
  return result;
}

/** Removes the empty folders that adopted files leave. */
export function removeEmptyFolders(folder: string): void {
  for (const name of namesIn(folder)) {
    const path = join(folder, name);
    if (!isFolder(path)) continue;
    removeEmptyFolders(path);
    try {
      rmSync(join(path, 'alive'), { force: true });
      rmdirSync(path);
    } catch {
      // The folder is not empty.
    }
  }
}

/** Shows that this process is alive, to processes that cannot query this machine's kernel. */
export function touchAlive(folder: string): void {
  const path = join(folder, 'alive');
  const now = new Date();
  try {
    utimesSync(path, now, now);
  } catch {
    try {
      writeFileSync(path, '', { mode: 0o600, flag: 'wx' });
    } catch {
      // Without a heartbeat another host may take over early; spans would arrive twice, but not be
      // lost.
    }
  }
}

function collectFiles(folder: string, into: Adopted): void {
  try {
    checkFolder(folder);
  } catch (error) {
    into.refused.push(`Refused ${messageOf(error)}.`);
    return;
  }
  const names = namesIn(folder);
  for (const name of names) {
    const path = join(folder, name);
    const segment = segmentOfSettled(name);
    if (name.endsWith('.spool')) into.files.push(path);
    else if (isFolder(path)) collectFiles(path, into);
    // The process died between deleting a segment and deleting the files that belong to it.
    else if (segment && !names.includes(`${segment}.spool`)) rmSync(path, { force: true });
  }
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder).sort();
  } catch {
    return [];
  }
}

function isFolder(path: string): boolean {
  try {
    return lstatSync(path).isDirectory();
  } catch {
    return false;
  }
}

function timeOf(path: string): number {
  try {
    return lstatSync(path).mtimeMs;
  } catch {
    return 0;
  }
}

function isGone(error: unknown): boolean {
  return ['ENOENT', 'ENOTEMPTY', 'EEXIST'].includes((error as NodeJS.ErrnoException).code ?? '');
}
