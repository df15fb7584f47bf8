import { readFileSync } from 'node:fs';
import { createRequire, register as registerLoader } from 'node:module';
import { join, posix } from 'node:path';

import { Hook as ImportHook } from 'import-in-the-middle';
import {
  register as registerSync,
  supportsSyncHooks,
} from 'import-in-the-middle/register-hooks.mjs';
import { Hook as RequireHook } from 'require-in-the-middle';
import semver from 'semver';

import { messageOf } from '../base/errors.ts';
import { say, sayOnce } from '../base/log.ts';
import type { Undo } from './patch.ts';

/*
 * Tells instrumentations when a module of a library is loaded, by `require` or by `import`.
 *
 * One require hook and one import hook serve all of them. `patches` is written by `onModule` and
 * read at each load; an entry lives until its undo is called. `seen` keeps a module from being
 * patched twice when it arrives both ways.
 */

/** What a module exports as a whole: of a namespace that `import` gives, its default. */
export function defaultOf(exports: ModuleExports): ModuleExports {
  const whole: ModuleExports = exports?.default;
  return (typeof whole === 'object' && whole !== null) || typeof whole === 'function'
    ? whole
    : exports;
}

/** A module of a library, and what to do with its exports once it is loaded. */
export interface ModulePatch {
  /** The package (`pg`), or a file inside it as `package/path` (`pg/lib/client.js`). */
  module: string;
  /** The supported versions as a semver range, with an upper bound (`>=8.0.3 <9`). */
  versions: string;
  /**
   * Patches `exports` in place and returns the undo. A returned undo runs when the registration
   * is undone. Anything thrown is confined to this module and said in one line. Where the module
   * itself is what has to change (`module.exports` is a function), `replace` hands out another.
   */
  patch(
    exports: ModuleExports,
    version: string,
    replace: (replacement: ModuleExports) => void,
  ): Undo | undefined;
}

// Exports of foreign modules have no type we could know.
// oxlint-disable-next-line typescript/no-explicit-any
export type ModuleExports = any;

interface Registration extends ModulePatch {
  undos: Undo[];
  seen: WeakSet<object>;
}

const patches = new Map<string, Set<Registration>>();
const stripExtension = (name: string): string => name.replace(/\.(?:c|m)?js$/, '');
const keyOf = (name: string): string => stripExtension(name.replaceAll('\\', '/'));
/** What was imported so far, for registrations to come: nobody else can be asked for it. */
const imported: { exports: ModuleExports; name: string; baseDir: string | undefined }[] = [];
let requireHooked = false;
let importHooked = false;

/** Registers `patch` for modules loaded from now on, and for those that `require` holds already. */
export function onModule(patch: ModulePatch): Undo {
  const registration: Registration = { ...patch, undos: [], seen: new WeakSet() };
  const key = stripExtension(patch.module);
  const group = patches.get(key) ?? new Set();
  patches.set(key, group.add(registration));
  hookRequire();
  for (const { module, name, baseDir } of alreadyRequired(packageOf(key))) {
    if (stripExtension(name) !== key) continue;
    apply(registration, module.exports, baseDir, (next) => {
      // Whoever required it before keeps what it has; the next one gets the replacement.
      sayOnce(
        'warn',
        `early:${module.id}`,
        `${packageOf(key)} was loaded before its instrumentation: where it was loaded it is not instrumented.`,
      );
      replaceExports(module, next);
    });
  }
  for (const { exports, name, baseDir } of imported) {
    if (keyOf(name) !== key) continue;
    apply(registration, exports, baseDir, (replacement) => replaceDefault(exports, replacement));
  }
  return () => {
    group.delete(registration);
    if (group.size === 0) patches.delete(key);
    for (const undo of registration.undos.splice(0).toReversed()) undo();
  };
}

/**
 * Hooks `import` as well. To be called by the preload after all registrations and before the
 * application: where loader hooks run on a thread of their own, that thread is given the list of
 * modules once.
 */
export function hookImports(): void {
  if (importHooked) return;
  importHooked = true;
  try {
    if (supportsSyncHooks()) {
      registerSync({ include: importMatchers() });
    } else {
      registerLoader('import-in-the-middle/hook.mjs', import.meta.url, {
        data: { include: importMatchers() },
      });
    }
    void new ImportHook([...packageNames()], { internals: true }, (exports, name, baseDir) => {
      const module = { exports, name, baseDir: baseDir ?? undefined };
      imported.push(module);
      replaceDefault(exports, loaded(exports, name, module.baseDir));
    });
  } catch (error) {
    say('warn', `modules loaded by \`import\` cannot be instrumented: ${messageOf(error)}`);
  }
}

/** A file inside a package is imported under any specifier, so it is known by its URL. */
function importMatchers(): (string | RegExp)[] {
  const files = [...patches.keys()].filter((key) => packageOf(key) !== key);
  const matchers = files.map((key) => new RegExp(`/node_modules/${escape(key)}(?:\\.[cm]?js)?$`));
  return [...packageNames(), ...matchers];
}

const escape = (text: string): string => text.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&');

function packageNames(): Set<string> {
  return new Set([...patches.keys()].map(packageOf));
}

/** `@scope/name/lib/file` and `name/lib/file` without the part after the package. */
function packageOf(module: string): string {
  return module
    .split('/')
    .slice(0, module.startsWith('@') ? 2 : 1)
    .join('/');
}

function hookRequire(): void {
  if (requireHooked) return;
  requireHooked = true;
  void new RequireHook(null, { internals: true }, (exports, name, baseDir) => {
    return loaded(exports, name, baseDir);
  });
}

/**
 * Puts what takes the place of a module where those who require it find it. Require hooks, ours
 * among them, note on the module what they handed out, under a symbol of their own.
 */
function replaceExports(module: NodeJS.Module, replacement: ModuleExports): void {
  const noted = module as unknown as Record<symbol, unknown>;
  for (const symbol of Object.getOwnPropertySymbols(module)) {
    if (noted[symbol] === module.exports) noted[symbol] = replacement;
  }
  module.exports = replacement;
}

/** Puts a function that takes the place of a module where those who import it find it. */
function replaceDefault(namespace: ModuleExports, replacement: ModuleExports): void {
  if (replacement !== namespace && typeof defaultOf(namespace) === 'function') {
    namespace.default = replacement;
  }
}

/** Applies what is registered for a module and returns what is to be handed out in its place. */
function loaded(exports: ModuleExports, name: string, baseDir: string | undefined): ModuleExports {
  const group = patches.get(keyOf(name));
  if (group === undefined) return exports;
  let current = exports;
  for (const registration of group) {
    apply(registration, current, baseDir, (replacement) => (current = replacement));
  }
  return current;
}

function apply(
  registration: Registration,
  exports: ModuleExports,
  baseDir: string | undefined,
  replace: (replacement: ModuleExports) => void,
): void {
  if ((typeof exports !== 'object' && typeof exports !== 'function') || exports === null) return;
  if (registration.seen.has(exports)) return;
  registration.seen.add(exports);
  // Built-in modules come with Node and have its version.
  const version = manifestAt(baseDir)?.version ?? process.version.slice(1);
  if (!semver.satisfies(version, registration.versions, { includePrerelease: true })) {
    const name = packageOf(registration.module);
    sayOnce(
      'warn',
      `version:${name}@${version}`,
      `${name} ${version} is not instrumented: supported is ${registration.versions}.`,
    );
    return;
  }
  try {
    const undo = registration.patch(exports, version, replace);
    if (undo) registration.undos.push(undo);
  } catch (error) {
    sayOnce(
      'error',
      `patch:${registration.module}@${version}`,
      `${registration.module} ${version} could not be instrumented: ${messageOf(error)}`,
    );
  }
}

interface LoadedModule {
  module: NodeJS.Module;
  /** The package, or a file inside it as `package/path`. */
  name: string;
  baseDir: string;
}

/**
 * The modules of `packageName` that `require` holds, each as a require hook would have shown it.
 * A CommonJS module that was imported is among them.
 */
function* alreadyRequired(packageName: string): Generator<LoadedModule> {
  const folder = `/node_modules/${packageName}/`;
  const { cache } = createRequire(import.meta.url);
  for (const [file, module] of Object.entries(cache)) {
    const path = file.replaceAll('\\', '/');
    const start = path.lastIndexOf(folder);
    if (start === -1 || module === undefined || !module.loaded) continue;
    const inside = path.slice(start + folder.length);
    // A package inside this one.
    if (inside.includes('node_modules/')) continue;
    const baseDir = path.slice(0, start + folder.length - 1);
    yield { module, name: `${packageName}/${inside}`, baseDir };
    if (stripExtension(mainOf(baseDir)) === stripExtension(inside)) {
      yield { module, name: packageName, baseDir };
    }
  }
}

function mainOf(baseDir: string): string {
  const main = manifestAt(baseDir)?.main ?? 'index.js';
  return posix.normalize(main);
}

interface Manifest {
  version?: string;
  main?: string;
}

function manifestAt(baseDir: string | undefined): Manifest | undefined {
  if (baseDir === undefined) return undefined;
  try {
    return JSON.parse(readFileSync(join(baseDir, 'package.json'), 'utf8')) as Manifest;
  } catch {
    return undefined;
  }
}
