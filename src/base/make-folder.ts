import { mkdirSync, statSync } from 'node:fs';
import { dirname } from 'node:path';

/**
 * Creates `folder` and its missing parents with `mode`; an existing folder is left alone. Throws
 * Node's error if that fails.
 *
 * Used in place of `mkdirSync` with `recursive`, which never returns below a folder that refuses
 * new entries with ENOENT, as `/proc` does (Node 20, 22 and 24).
 */
export function makeFolder(folder: string, mode: number): void {
  try {
    mkdirSync(folder, { mode });
    return;
  } catch (error) {
    const parent = dirname(folder);
    if (codeOf(error) === 'EEXIST' && isFolder(folder)) return;
    if (codeOf(error) !== 'ENOENT' || parent === folder || isFolder(parent)) throw error;
    makeFolder(parent, mode);
  }
  try {
    mkdirSync(folder, { mode });
  } catch (error) {
    // Another process was faster.
    if (codeOf(error) !== 'EEXIST' || !isFolder(folder)) throw error;
  }
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}

function codeOf(error: unknown): string | undefined {
  return (error as NodeJS.ErrnoException).code;
}
