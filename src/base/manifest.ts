import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';

/**
 * What is read of a `package.json`, in which anything may stand: what should be a text and is none
 * is left out.
 */
export interface Manifest {
  readonly name?: string;
  readonly version?: string;
  /** Names of packages. */
  readonly dependencies: readonly string[];
  /** No text in a package that has files and no entry: `false`. */
  readonly main?: unknown;
  readonly exports?: unknown;
}

/** Stands for a manifest that is there and cannot be read, or is no object. */
export const UNREADABLE: Manifest = Object.freeze({ dependencies: [] });

/**
 * Reads the manifest of a folder, as Node and npm do: a byte-order mark before it is skipped, and a
 * folder of its name is no manifest. Returns undefined where there is none. Never throws.
 */
export function readManifest(folder: string): Manifest | undefined {
  const file = join(folder, 'package.json');
  try {
    // To read a pipe or a device may never end.
    const found = statSync(file, { throwIfNoEntry: false });
    if (!found || found.isDirectory()) return undefined;
    if (!found.isFile()) return UNREADABLE;
    const content = JSON.parse(readFileSync(file, 'utf8').replace(/^\uFEFF/, '')) as unknown;
    return isObject(content) ? manifestOf(content) : UNREADABLE;
  } catch (error) {
    const { code } = error as { code?: unknown };
    return code === 'ENOENT' || code === 'ENOTDIR' ? undefined : UNREADABLE;
  }
}

function manifestOf(content: Readonly<Record<string, unknown>>): Manifest {
  const { name, version, dependencies, main, exports } = content;
  return {
    ...(isText(name) && { name }),
    ...(isText(version) && { version }),
    dependencies: isObject(dependencies) ? Object.keys(dependencies) : [],
    main,
    exports,
  };
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value.trim() !== '';
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
