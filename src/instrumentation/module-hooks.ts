import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';

import satisfies from 'semver/functions/satisfies.js';

import { messageOf } from '../base/errors.ts';
import { sayOnce } from '../base/log.ts';
import { readManifest } from '../base/manifest.ts';
import { noteSetup } from '../base/setup-notes.ts';
import { isMainFile } from './imports/package-main.ts';
import {
  packageOf,
  pathInPackage,
  stripExtension,
  WantedModules,
} from './imports/wanted-modules.ts';
import type { Undo } from '../base/patch.ts';
import type { ModuleExports } from './module-exports.ts';
import { hookRequire } from './require-hook.ts';
export type { ModuleExports } from './module-exports.ts';
import { seePackage } from './seen-packages.ts';

/*
 * Tells instrumentations when a module of a library is loaded, by `require` or by `import`.
 *
 * One require hook serves all of them, from the first registration to the last undo; the import
 * hooks report to `onImported`. `patches` is written by `onModule` and read at each load; an entry
 * lives until its undo is called. `seen` keeps a module from being patched twice when it arrives
 * both ways.
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
  /** Whether `import` of the module is left alone. */
  byRequire?: boolean;
}

interface Registration extends ModulePatch {
  undos: Undo[];
  seen: WeakSet<object>;
  /** What is being patched: to patch it may load modules that require it. */
  underWay: ModuleExports;
}

const patches = new Map<string, Set<Registration>>();
const keyOf = (name: string): string => stripExtension(name.replaceAll('\\', '/'));
/** What the import hooks look for. */
export const wantedModules: WantedModules = new WantedModules();
/** Whether an instrumentation of others looks for the modules of a package. */
export function isPackageWanted(name: string): boolean {
  return wantedModules.has(`${name}/*`);
}

/** What was imported so far, for registrations to come: there is no one else to ask for it. */
const imported: { exports: ModuleExports; name: string; baseDir: string | undefined }[] = [];
const importedNamespaces = new WeakSet<object>();
let unhookRequire: Undo | undefined;
/** How many modules `require` held when `patchMissedModules` looked last. */
let checkedModules = 0;
const requireHere = createRequire(import.meta.url);

/** Registers `patch` for modules loaded from now on, and for those that `require` holds already. */
export function onModule(patch: ModulePatch): Undo {
  const registration: Registration = {
    ...patch,
    undos: [],
    seen: new WeakSet(),
    underWay: undefined,
  };
  const key = stripExtension(patch.module);
  const group = patches.get(key) ?? new Set();
  patches.set(key, group.add(registration));
  unhookRequire ??= hookRequire(({ exports, name, baseDir, takeBack }) =>
    loaded(exports, name, baseDir, () => takeBack),
  );
  if (!patch.byRequire) registration.undos.push(wantedModules.add(key));
  applyToRequired(registration);
  for (const { exports, name, baseDir } of imported) {
    if (keyOf(name) !== key) continue;
    if (patch.byRequire) continue;
    apply(registration, exports, baseDir, (replacement) => {
      const undo = replaceDefault(exports, replacement);
      if (undo) registration.undos.push(undo);
    });
  }
  return () => {
    group.delete(registration);
    if (group.size === 0) patches.delete(key);
    for (const undo of registration.undos.splice(0).toReversed()) undo();
    if (patches.size > 0) return;
    unhookRequire?.();
    unhookRequire = undefined;
  };
}

/**
 * Patches the modules that `require` holds and no hook has seen: CommonJS that ES modules imported
 * before the hooks, in an import graph that was linked then.
 */
export function patchMissedModules(): void {
  const { length } = Object.keys(requireHere.cache);
  if (length === checkedModules) return;
  checkedModules = length;
  for (const group of patches.values()) for (const each of group) applyToRequired(each);
}

function applyToRequired(registration: Registration): void {
  const key = stripExtension(registration.module);
  for (const { module, name, baseDir } of alreadyRequired(packageOf(key))) {
    if (stripExtension(name) !== key) continue;
    apply(registration, module.exports, baseDir, (next) => {
      // Whoever required it before keeps what it has; the next one gets the replacement.
      sayOnce(
        'warn',
        `early:${module.id}`,
        `${packageOf(key)} was loaded before its instrumentation: the modules that loaded it get it uninstrumented.`,
      );
      const name = packageOf(key);
      noteSetup({ kind: 'early', instrumentation: `clew/${name}`, package: name });
      const original: ModuleExports = module.exports;
      exchange(module, original, next);
      registration.undos.push(() => exchange(module, next, original));
    });
  }
}

/**
 * Patches a module that was imported; the import hooks call it with writable exports. `specifier`
 * is what the importer wrote, from which a package's main module is known. Never throws: it runs in
 * the import of the application.
 */
export function onImported(url: string, namespace: ModuleExports, specifier?: string): void {
  try {
    patchImported(url, namespace, specifier);
  } catch (error) {
    sayOnce('error', 'import-hook', `a module cannot be instrumented: ${messageOf(error)}`);
  }
}

function patchImported(url: string, namespace: ModuleExports, specifier?: string): void {
  if (importedNamespaces.has(namespace as object)) return;
  importedNamespaces.add(namespace as object);
  for (const module of describeImport(url, specifier)) {
    imported.push({ exports: namespace, ...module });
    loaded(namespace, module.name, module.baseDir, (replacement) =>
      replaceDefault(namespace, replacement),
    );
  }
}

/** The names under which a module may be asked for. */
function describeImport(
  url: string,
  specifier: string | undefined,
): { name: string; baseDir: string | undefined }[] {
  if (!url.startsWith('file:')) {
    const names = url.startsWith('node:') ? [url, url.slice('node:'.length)] : [url];
    return names.map((name) => ({ name, baseDir: undefined }));
  }
  const path = fileURLToPath(url).replaceAll('\\', '/');
  const inside = pathInPackage(path);
  if (inside === undefined) return [];
  const packageName = packageOf(inside);
  const baseDir = path.slice(0, path.length - inside.length + packageName.length);
  const main = { name: packageName, baseDir };
  if (specifier === packageName || specifier === undefined) return [main];
  const file = { name: inside, baseDir };
  return isMainFile(baseDir, inside.slice(packageName.length + 1)) ? [main, file] : [file];
}

/**
 * Puts `next` where those who require `module` find `current`. Require hooks of others note on the
 * module what they handed out, under a symbol of their own.
 */
function exchange(module: NodeJS.Module, current: ModuleExports, next: ModuleExports): void {
  const noted = module as unknown as Record<symbol, unknown>;
  for (const symbol of Object.getOwnPropertySymbols(module)) {
    if (noted[symbol] === current) noted[symbol] = next;
  }
  if (module.exports === current) module.exports = next;
}

/** Puts a function that takes the place of a module where those who import it find it. */
function replaceDefault(namespace: ModuleExports, replacement: ModuleExports): Undo | undefined {
  const original: ModuleExports = namespace.default;
  if (replacement === namespace || typeof defaultOf(namespace) !== 'function') return undefined;
  namespace.default = replacement;
  return () => {
    if (namespace.default === replacement) namespace.default = original;
  };
}

/**
 * Applies what is registered for a module and returns what is to be handed out in its place.
 * `place` puts that where it has to be put, and gives the undo.
 */
function loaded(
  exports: ModuleExports,
  name: string,
  baseDir: string | undefined,
  place?: (replacement: ModuleExports) => Undo | undefined,
): ModuleExports {
  let current = exports;
  if (baseDir !== undefined) seePackage(packageOf(name.replaceAll('\\', '/')));
  for (const registration of patches.get(keyOf(name)) ?? []) {
    apply(registration, current, baseDir, (replacement) => {
      current = replacement;
      const undo = place?.(replacement);
      if (undo) registration.undos.push(undo);
    });
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
  const whole = defaultOf(exports);
  if (registration.underWay === whole) return;
  registration.seen.add(exports);
  // Built-in modules come with Node and have its version.
  const version =
    baseDir === undefined ? process.version.slice(1) : (readManifest(baseDir)?.version ?? '');
  if (!isSupported(version, registration.versions)) {
    const name = packageOf(registration.module);
    sayOnce(
      'warn',
      `version:${name}@${version}`,
      version === ''
        ? `${name} is not instrumented: there is no version in ${baseDir}/package.json.`
        : `${name} ${version} is not instrumented: supported is ${registration.versions}.`,
    );
    return;
  }
  const { underWay } = registration;
  registration.underWay = whole;
  try {
    const undo = registration.patch(exports, version, replace);
    if (undo) registration.undos.push(undo);
  } catch (error) {
    sayOnce(
      'error',
      `patch:${registration.module}@${version}`,
      `${registration.module} ${version} could not be instrumented: ${messageOf(error)}`,
    );
  } finally {
    registration.underWay = underWay;
  }
}

/** Whether `version` is in `range`. Packages of a workspace often have none, which `*` includes. */
export function isSupported(version: string, range: string): boolean {
  return range === '*' || satisfies(version, range, { includePrerelease: true });
}

interface LoadedModule {
  module: NodeJS.Module;
  /** The package, or a file inside it as `package/path`. */
  name: string;
  baseDir: string;
}

/**
 * The files that `require` holds, by their packages: many registrations look for theirs at once. Made
 * anew when their number or the last of them is another.
 */
let held:
  { count: number; last: string | undefined; byPackage: Map<string, HeldFile[]> } | undefined;

interface HeldFile {
  /** As `require` knows it. */
  file: string;
  /** Its path in the package. */
  inside: string;
  baseDir: string;
}

const FOLDER = '/node_modules/';

function heldFiles(): Map<string, HeldFile[]> {
  const files = Object.keys(requireHere.cache);
  const last = files.at(-1);
  if (held?.count === files.length && held.last === last) return held.byPackage;
  const byPackage = new Map<string, HeldFile[]>();
  for (const file of files) {
    const path = file.replaceAll('\\', '/');
    const start = path.lastIndexOf(FOLDER);
    if (start === -1) continue;
    const inside = path.slice(start + FOLDER.length);
    const name = packageOf(inside);
    const list = byPackage.get(name) ?? [];
    byPackage.set(name, list);
    const baseDir = path.slice(0, start + FOLDER.length + name.length);
    list.push({ file, inside: inside.slice(name.length + 1), baseDir });
  }
  held = { count: files.length, last, byPackage };
  return byPackage;
}

/**
 * The modules of `packageName` that `require` holds, each as a require hook would have shown it.
 * A CommonJS module that was imported is among them.
 */
function* alreadyRequired(packageName: string): Generator<LoadedModule> {
  for (const { file, inside, baseDir } of heldFiles().get(packageName) ?? []) {
    const module = requireHere.cache[file];
    if (module?.loaded !== true) continue;
    yield { module, name: `${packageName}/${inside}`, baseDir };
    if (isMainFile(baseDir, inside)) yield { module, name: packageName, baseDir };
  }
}
