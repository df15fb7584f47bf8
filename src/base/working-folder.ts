import { parse } from 'node:path';

/** The working folder; the root where it was deleted, for which `process.cwd()` throws. */
export function workingFolder(): string {
  return existing() ?? parse(process.execPath).root;
}

/** Whether the working folder is there: where it was deleted, no thread of Node gets to its first line. */
export function hasWorkingFolder(): boolean {
  return existing() !== undefined;
}

function existing(): string | undefined {
  try {
    return process.cwd();
  } catch {
    return undefined;
  }
}
