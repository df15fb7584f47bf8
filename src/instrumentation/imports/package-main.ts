import { readFileSync } from 'node:fs';
import { join, posix } from 'node:path';

import { stripExtension } from './wanted-modules.ts';

/*
 * Which files of a package are what its bare name loads. A test runner or a bundler that resolves
 * modules by itself imports a package by the URL of such a file.
 */

/** What is read of a `package.json`, in which anything may stand. */
export interface Manifest {
  version?: string;
  /** No text in a package that has files and no entry: `false`. */
  main?: unknown;
  exports?: unknown;
}

/** Reads a package's manifest; `undefined` where there is none that can be read. */
export function manifestAt(baseDir: string | undefined): Manifest | undefined {
  if (baseDir === undefined) return undefined;
  try {
    const text = readFileSync(join(baseDir, 'package.json'), 'utf8');
    return (JSON.parse(text) as Manifest | null) ?? undefined;
  } catch {
    return undefined;
  }
}

/** The main files of each package that was loaded, without extensions: as many as are installed. */
const mains = new Map<string, readonly string[]>();

/** Whether `inside`, a path within the package at `baseDir`, is the package itself, however loaded. */
export function isMainFile(baseDir: string, inside: string): boolean {
  const file = stripExtension(inside);
  const known = mains.get(baseDir) ?? mainsOf(manifestAt(baseDir));
  mains.set(baseDir, known);
  return known.some((main) => file === main || file === `${main}/index`);
}

function mainsOf({ main, exports }: Manifest = {}): string[] {
  // Node, too, takes the index where there is no text.
  const entry = typeof main === 'string' && main !== '' ? main : 'index.js';
  return [entry, ...targetsOf(exports)].map((target) =>
    stripExtension(posix.normalize(target).replace(/\/$/, '')),
  );
}

/** The files of the entry `.`, whatever their conditions. */
function targetsOf(exports: unknown): string[] {
  if (typeof exports === 'string') return [exports];
  if (typeof exports !== 'object' || exports === null) return [];
  if ('.' in exports) return targetsOf(exports['.']);
  return Object.entries(exports).flatMap(([key, target]) =>
    key.startsWith('.') ? [] : targetsOf(target),
  );
}
