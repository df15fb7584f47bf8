import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

import type { AsyncWrapper, SyncWrapper } from './import-guard.ts';

/*
 * import-in-the-middle, required when it is needed. It is CommonJS that asks for Node's modules, so
 * an ES module that a bundler makes of this package could not hold it; and a start that has no
 * import to hook does not pay for the parsers it loads.
 */

/** Calls for each wrapped module: its URL, its writable exports, how it was asked for. */
export type IitmHook = (
  url: string,
  namespace: Record<string, unknown>,
  specifier: string,
  format?: string,
) => void;

/** What each copy of import-in-the-middle keeps in `lib/register.js`. */
export interface IitmRegistry {
  importHooks: IitmHook[];
  toHook: Parameters<IitmHook>[];
  specifiers: Map<string, string>;
}

interface IitmHooks {
  applyOptions(options: { disableCjsSourceStripping: boolean }): void;
  resolve: unknown;
  resolveSync: unknown;
  load: unknown;
  loadSync: unknown;
}

const load = createRequire(import.meta.url);
const FOLDER = 'import-in-the-middle';

export function loadRegistry(): IitmRegistry {
  return load(`${FOLDER}/lib/register.js`) as IitmRegistry;
}

/** What the other copies keep that were loaded so far. */
export function* otherRegistries(): Generator<IitmRegistry> {
  const own = load.resolve(`${FOLDER}/lib/register.js`);
  for (const [file, module] of Object.entries(load.cache)) {
    if (file === own || !/[/\\]import-in-the-middle[/\\]lib[/\\]register\.js$/.test(file)) continue;
    const registry = module?.exports as Partial<IitmRegistry> | undefined;
    if (registry?.importHooks && registry.toHook && registry.specifiers) {
      yield registry as IitmRegistry;
    }
  }
}

/** Whether Node's synchronous hooks are there and can load CommonJS without a source. */
export function supportsSyncHooks(): boolean {
  const { supportsSyncHooks: supports } = load(`${FOLDER}/supports-sync-hooks.mjs`) as {
    supportsSyncHooks: () => boolean;
  };
  return supports();
}

export function createSyncWrapper(): SyncWrapper {
  const { resolveSync, loadSync } = createHooks(load(CREATE_HOOK) as CreateHook);
  return { resolve: resolveSync, load: loadSync } as SyncWrapper;
}

/** Imported, not required: some loaders serve ES modules to `import` alone. */
export async function createAsyncWrapper(): Promise<AsyncWrapper> {
  return createHooks((await import(CREATE_HOOK)) as CreateHook) as AsyncWrapper;
}

const CREATE_HOOK = `${FOLDER}/create-hook.mjs`;

interface CreateHook {
  createHook: (meta: { url: string }) => IitmHooks;
}

function createHooks({ createHook }: CreateHook): IitmHooks {
  const hooks = createHook({ url: pathToFileURL(load.resolve(`${FOLDER}/index.js`)).href });
  // A source that another tool gave is that tool's: Node has to run it, and not the file.
  hooks.applyOptions({ disableCjsSourceStripping: true });
  return hooks;
}
