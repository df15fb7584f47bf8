import { readFileSync, statSync } from 'node:fs';

const INSIDE = /node_modules\/(?!\.)((?:@[\w.-]+\/)?[\w.-]+)\//g;
const MAX_BYTES = 30_000_000;
const MAX_PATH = 500;

/** Returns the packages inside `file` if it is a bundle; empty if it is not. */
export function packagesInside(file: string): Set<string> {
  const found = new Set<string>();
  for (const text of [read(file), read(`${file}.map`)]) {
    for (const { 1: name, index } of text.matchAll(INSIDE)) {
      if (name && beginsPath(text, index)) found.add(name);
    }
  }
  return found;
}

/**
 * The traces of bundled files that bundlers leave: in comments, keys, and source maps, with the
 * path to the folder before it.
 */
function beginsPath(text: string, at: number): boolean {
  let start = at;
  while (start > 0 && at - start < MAX_PATH && !/["'`\s]/.test(text[start - 1] as string)) start--;
  return /["'`]/.test(text[start - 1] ?? '') || text.slice(Math.max(0, start - 3), start) === '// ';
}

function read(file: string): string {
  try {
    return statSync(file).size > MAX_BYTES ? '' : readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
