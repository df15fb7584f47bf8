import { createRequire } from 'node:module';
import { join } from 'node:path';

import { readManifest } from '../../base/manifest.ts';
import { packageOf, partyOf } from '../stack-frames.ts';

/*
 * Lists the packages that this process has loaded, as known to CommonJS, and how they were loaded.
 */

export interface LoadedPackage {
  readonly name: string;
  readonly folder: string;
  readonly version: string;
  readonly dependencies: readonly string[];
  /** Whether its main module was loaded, and not only another file of it. */
  readonly isWhole: boolean;
  /** Whether it was required; otherwise only ES modules imported it. */
  readonly isRequired: boolean;
  /** Whether only tracers, and their dependencies, have required it. */
  readonly isForTools: boolean;
}

type Cache = NodeJS.Dict<NodeModule>;
const own = createRequire(import.meta.url);
const IMPORT_REGISTER = /import-in-the-middle[\\/]lib[\\/]register\.js$/;

/** The packages with modules in the cache of `require`. */
export function loadedPackages(cache: Cache = own.cache): LoadedPackage[] {
  const files = new Map<string, string[]>();
  for (const file of Object.keys(cache)) {
    const folder = folderOf(file);
    if (folder) files.set(folder, [...(files.get(folder) ?? []), file]);
  }
  const { required, reached } = requiredFolders(cache);
  return [...files].map(([folder, loaded]) => {
    const { version = '', dependencies = [] } = readManifest(folder) ?? {};
    return {
      name: packageOf(join(folder, 'x')) ?? '',
      folder,
      version,
      dependencies,
      isWhole: loaded.includes(mainOf(folder)),
      isRequired: required.has(folder),
      isForTools: required.has(folder) && !reached.has(folder),
    };
  });
}

/**
 * The folders of packages that were required from outside, and those of them that the application
 * required, directly or through other packages.
 */
function requiredFolders(cache: Cache): { required: Set<string>; reached: Set<string> } {
  const required = new Set<string>();
  const edges = new Map<string, Set<string>>();
  for (const [file, module] of Object.entries(cache)) {
    const from = folderOf(file) ?? (partyOf(file) === 'tool' ? OWN : APPLICATION);
    const targets = edges.get(from) ?? new Set();
    edges.set(from, targets);
    for (const { filename } of module?.children ?? []) {
      const to = folderOf(filename ?? '');
      if (!to || to === from) continue;
      required.add(to);
      targets.add(to);
    }
  }
  // A module that was not required was imported.
  const open = [...edges.keys()].filter((folder) => !required.has(folder) && !isTool(folder));
  const reached = new Set(open);
  for (let from = open.pop(); from !== undefined; from = open.pop()) {
    for (const to of edges.get(from) ?? []) {
      if (reached.has(to)) continue;
      reached.add(to);
      if (!isTool(to)) open.push(to);
    }
  }
  return { required, reached };
}

/** Represents the files that are in no package. */
const APPLICATION = '';
/** Represents this package's files, if it is not installed. */
const OWN = 'clew';
const isTool = (folder: string): boolean =>
  folder === OWN || (folder !== APPLICATION && partyOf(join(folder, 'index.js')) === 'tool');

/** Whether imports of ES modules pass a hook of import-in-the-middle, which counts them. */
export function hasImportHook(cache: Cache = own.cache): boolean {
  return Object.entries(cache).some(([file, module]) => {
    if (!IMPORT_REGISTER.test(file)) return false;
    const { toHook, specifiers } = (module?.exports ?? {}) as {
      toHook?: readonly unknown[];
      specifiers?: ReadonlyMap<string, unknown>;
    };
    return (toHook?.length ?? 0) > 0 || (specifiers?.size ?? 0) > 0;
  });
}

/** Returns the folder of the package that `file` is in. */
function folderOf(file: string): string | undefined {
  return /^.*[\\/]node_modules[\\/](?:@[^\\/]+[\\/])?[^\\/]+(?=[\\/])/.exec(file)?.[0];
}

function mainOf(folder: string): string {
  try {
    return own.resolve(folder);
  } catch {
    return '';
  }
}
