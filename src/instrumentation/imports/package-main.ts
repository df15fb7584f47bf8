import { posix } from 'node:path';

import { readManifest } from '../../base/manifest.ts';
import { stripExtension } from './wanted-modules.ts';

/*
 * Which files of a package are what its bare name loads. A test runner or a bundler that resolves
 * modules by itself imports a package by the URL of such a file.
 */

/** The main files of each package that was loaded, without extensions: as many as are installed. */
const mains = new Map<string, readonly string[]>();

/** Whether `inside`, a path within the package at `baseDir`, is the package itself, however loaded. */
export function isMainFile(baseDir: string, inside: string): boolean {
  const file = stripExtension(inside);
  const known = mains.get(baseDir) ?? mainsOf(baseDir);
  mains.set(baseDir, known);
  return known.some((main) => file === main || file === `${main}/index`);
}

function mainsOf(baseDir: string): string[] {
  const { main, exports } = readManifest(baseDir) ?? {};
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
