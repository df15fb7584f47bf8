import { createRequire } from 'node:module';
import { join } from 'node:path';

import { ClewError, messageOf } from './errors.ts';
import { workingFolder } from './working-folder.ts';

/*
 * Packages that an application may have installed are loaded here, synchronously, so that a preload
 * works as `--import` and as `--require`.
 */

/** Requires `name` as the package, else as the application in the working folder, would. */
export function loadPeer<Module>(name: string): Module {
  let cause: unknown;
  for (const from of origins()) {
    try {
      return createRequire(from)(name) as Module;
    } catch (error) {
      cause = error;
      // A peer that is there and fails to load must not be reported as missing.
      if (!isNotFound(error, name)) break;
    }
  }
  if (!isNotFound(cause, name)) {
    throw new ClewError('ERR_PEER_MISSING', `\`${name}\` failed to load: ${messageOf(cause)}`, {
      cause,
    });
  }
  throw new ClewError('ERR_PEER_MISSING', `\`${name}\` is not installed. Run npm i ${name}.`, {
    cause,
  });
}

/** The main file of `name` where it is installed, found as `loadPeer` finds it. */
export function locatePeer(name: string): string | undefined {
  for (const from of origins()) {
    try {
      return createRequire(from).resolve(name);
    } catch {
      // Not here; the next place may have it.
    }
  }
  return undefined;
}

function origins(): string[] {
  return [import.meta.url, join(workingFolder(), 'package.json')];
}

function isNotFound(error: unknown, name: string): boolean {
  const { code, message } = error as { code?: string; message?: string };
  return code === 'MODULE_NOT_FOUND' && (message ?? '').includes(`'${name}'`);
}
