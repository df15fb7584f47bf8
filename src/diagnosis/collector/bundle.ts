import { readFileSync, statSync } from 'node:fs';

/** How bundlers leave the names of the files they took in: in comments, keys, and source maps. */
const INSIDE = /(?:\/\/ |["'](?:\.{0,2}\/)*)node_modules\/((?:@[\w.-]+\/)?[\w.-]+)\//g;
const MAX_BYTES = 30_000_000;

/** The packages inside of `file`, where it is a bundle; empty where it is none. */
export function packagesInside(file: string): Set<string> {
  const found = new Set<string>();
  for (const text of [read(file), read(`${file}.map`)]) {
    for (const [, name] of text.matchAll(INSIDE)) if (name) found.add(name);
  }
  return found;
}

function read(file: string): string {
  try {
    return statSync(file).size > MAX_BYTES ? '' : readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
