import * as nodeModule from 'node:module';
import { isAbsolute } from 'node:path';
import { pathToFileURL } from 'node:url';
import { MessageChannel, type MessagePort } from 'node:worker_threads';

import { environment } from '../../base/environment.ts';
import { messageOf } from '../../base/errors.ts';
import { sayOnce } from '../../base/log.ts';
import { startUnseen, withoutPipes } from '../../base/unseen-thread.ts';
import { hasWorkingFolder } from '../../base/working-folder.ts';
import { onImported, onModule, wantedModules, type ModuleExports } from '../module-hooks.ts';
import { patchMethod, undoAll, type Undo } from '../../base/patch.ts';
import { seePackage } from '../seen-packages.ts';
import {
  createSyncWrapper,
  loadRegistry,
  otherRegistries,
  supportsSyncHooks,
  type IitmHook,
} from './iitm.ts';
import { guardImports, type SyncWrapper } from './import-guard.ts';
import type { LoaderData, NameChange } from './loader.ts';
import { packageOf } from './wanted-modules.ts';

/*
 * Hooks `import`, so that a wanted module is patched before an importer sees it. Every copy of
 * import-in-the-middle in the process hears of each module: OpenTelemetry's instrumentations listen
 * to the copy that they came with.
 */

let users = 0;
let unhook: Undo | undefined;

/**
 * Hooks `import` for the libraries that this package instruments, and for those of other
 * OpenTelemetry instrumentations: the ones passed in, and any created while the hooks are in place.
 *
 * Call it before the application is imported. `start()` calls it, and so does `enable()` of each
 * instrumentation of this package. It never throws. Each call returns an undo function; the hooks
 * are removed when the last one is called.
 */
export function hookImports(instrumentations: readonly object[] = []): Undo {
  if (users++ === 0) unhook = install();
  const undos = instrumentations.flatMap(namesOf).map(want);
  let isHooked = true;
  return () => {
    if (!isHooked) return;
    isHooked = false;
    undoAll(undos)();
    if (--users > 0) return;
    unhook?.();
    unhook = undefined;
  };
}

function install(): Undo {
  const undos: Undo[] = [];
  try {
    undos.push(listen(), watchInstrumentations());
    undos.push(supportsSyncHooks() ? hookThisThread() : hookLoaderThread());
  } catch (error) {
    report(error);
  }
  return undoAll(undos);
}

function report(error: unknown): void {
  const message = isJest(error)
    ? 'in jest, which has its own module loader, only CommonJS packages have spans'
    : `modules loaded by \`import\` cannot be instrumented: ${messageOf(error)}`;
  sayOnce('warn', 'import-hooks', message);
}

/** The errors come from jest: it cannot require ES modules, and has no hooks where Node has them. */
function isJest(error: unknown): boolean {
  return (
    environment()['JEST_WORKER_ID'] !== undefined &&
    ((error as { code?: unknown } | undefined)?.code === 'ERR_REQUIRE_ESM' ||
      messageOf(error).includes('not supported in Jest'))
  );
}

/** The synchronous hooks, which Node's types do not know on all lines that are supported. */
interface WithRegisterHooks {
  registerHooks: (hooks: SyncWrapper) => { deregister(): void };
}

function hookThisThread(): Undo {
  let isMissing = false;
  const wrapperOf = (): SyncWrapper | undefined => {
    if (isMissing) return undefined;
    try {
      return createSyncWrapper();
    } catch (error) {
      isMissing = true;
      report(error);
      return undefined;
    }
  };
  const hooks = guardImports(wantedModules, wrapperOf, {
    onBuiltin: patchBuiltin,
    onPackage: seePackage,
  });
  const { registerHooks } = nodeModule as unknown as WithRegisterHooks;
  const registered = registerHooks(hooks);
  return () => registered.deregister();
}

/** A loader thread cannot be taken down; with no names left its hooks leave every module alone. */
let loaderPort: MessagePort | undefined;

function hookLoaderThread(): Undo {
  // Node would wait for the thread, for ever.
  if (!hasWorkingFolder()) throw new Error('the working folder was deleted');
  if (loaderPort === undefined) {
    const { port1, port2 } = new MessageChannel();
    const data: LoaderData = { port: port2 };
    const startThread = (): void =>
      nodeModule.register('./loader.js', import.meta.url, { data, transferList: [port2] });
    withoutPipes(() => startUnseen(startThread));
    port1.on('message', (name: string) => seePackage(name));
    port1.unref();
    loaderPort = port1;
  }
  const post = (change: NameChange): void => {
    // A port of a thread, which has no origins.
    // oxlint-disable-next-line unicorn/require-post-message-target-origin
    loaderPort?.postMessage(change);
  };
  for (const name of wantedModules.names()) post({ name, isWanted: true });
  wantedModules.onChange = (name, isWanted) => post({ name, isWanted });
  return () => {
    wantedModules.onChange = undefined;
    for (const name of wantedModules.names()) post({ name, isWanted: false });
  };
}

/** Listens to the copy of import-in-the-middle that wraps modules, for itself and all others. */
function listen(): Undo {
  const { importHooks } = loadRegistry();
  const hear: IitmHook = (url, namespace, specifier, format) => {
    onImported(url, namespace, specifier);
    for (const copy of otherRegistries()) {
      copy.specifiers.set(url, specifier);
      copy.toHook.push([url, namespace, specifier, format]);
      for (const hook of copy.importHooks) {
        if (hook !== onImported) callForeign(hook, url, namespace, specifier, format);
      }
    }
  };
  importHooks.push(hear);
  return () => {
    const index = importHooks.indexOf(hear);
    if (index !== -1) importHooks.splice(index, 1);
  };
}

function callForeign(hook: IitmHook, ...args: Parameters<IitmHook>): void {
  try {
    hook(...args);
  } catch (error) {
    sayOnce(
      'error',
      `import:${args[2]}`,
      `an instrumentation of ${args[2]} failed: ${messageOf(error)}`,
    );
  }
}

/**
 * Sees which modules the instrumentations of others ask for, by the copy of import-in-the-middle
 * that they ask; and hears of the modules that such a copy wraps.
 */
function watchInstrumentations(): Undo {
  return onModule({
    module: 'import-in-the-middle',
    versions: '*',
    byRequire: true,
    patch: (copy: ModuleExports) => {
      const undos: (Undo | undefined)[] = [];
      undos.push(
        patchMethod(copy as { Hook: HookClass }, 'Hook', (Original) => {
          return function (this: unknown, modules: unknown, ...rest: unknown[]) {
            if (Array.isArray(modules)) undos.push(...modules.filter(isString).map(want));
            return new (Original as unknown as HookClass)(modules, ...rest);
          };
        }),
      );
      const { addHook, removeHook } = copy as Partial<Record<string, (hook: IitmHook) => void>>;
      addHook?.(onImported);
      undos.push(() => removeHook?.(onImported));
      return () => undoAll(undos.splice(0))();
    },
  });
}

type HookClass = {
  (...args: unknown[]): unknown;
  new (...args: unknown[]): unknown;
};

const isString = (value: unknown): value is string => typeof value === 'string';

/** The modules that an instrumentation made with OpenTelemetry's base class asks for. */
function namesOf(instrumentation: object): string[] {
  const { _modules: modules } = instrumentation as { _modules?: unknown };
  if (!Array.isArray(modules)) return [];
  return (modules as { name?: unknown }[]).map((each) => each?.name).filter(isString);
}

const load = nodeModule.createRequire(import.meta.url);

/** What the instrumentations that are being made within `patchingBuiltins` ask for. */
let asked: Set<string> | undefined;

/**
 * Makes an instrumentation, and patches then the modules of Node that it asks for. Without this they
 * are patched in a microtask, which hooks of the application would see.
 */
export function patchingBuiltins<Made>(make: () => Made): Made {
  const outer = asked;
  const names = (asked = new Set<string>());
  try {
    return make();
  } finally {
    asked = outer;
    for (const name of names) patchBuiltin(name);
  }
}

/** Adds a module that the instrumentation of another package asks for. */
function want(name: string): Undo {
  if (nodeModule.isBuiltin(name)) {
    // Later, as the instrumentation that asks is still being made.
    if (asked) asked.add(name);
    else queueMicrotask(() => patchBuiltin(name));
    return () => undefined;
  }
  return wantedModules.add(isAbsolute(name) ? pathToFileURL(name).href : `${packageOf(name)}/*`);
}

/** The patch is made when the module is required, in place; its named imports follow. */
function patchBuiltin(name: string): void {
  try {
    load(name);
    nodeModule.syncBuiltinESMExports();
  } catch (error) {
    sayOnce('warn', `builtin:${name}`, `${name} cannot be instrumented: ${messageOf(error)}`);
  }
}
