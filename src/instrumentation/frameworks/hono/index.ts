import type { FrameworkDefinition } from '../framework.ts';
import type { ModuleExports } from '../../module-hooks.ts';
import { reservePatch, patchMethod, undoAll, type Undo } from '../../../base/patch.ts';
import { watchHandler } from './handlers.ts';
import type { HonoRouter } from './library-types.ts';

const VERSIONS = '>=4 <5';
/** The files with classes of applications and of routers, as they are imported and required. */
const FILES = [
  ...['tiny', 'quick'].map((preset) => `preset/${preset}`),
  ...['reg-exp', 'smart', 'trie', 'pattern', 'linear'].map((kind) => `router/${kind}-router/index`),
];

/** `hono` on `@hono/node-server`, which hands the request on that a server has received. */
export const hono: FrameworkDefinition = {
  name: 'hono',
  modules: ['hono', ...FILES.flatMap((file) => [`hono/dist/${file}`, `hono/dist/cjs/${file}`])].map(
    (module) => ({ module, versions: VERSIONS, patch }),
  ),
};

/** Patches the classes of routers in `exports`, and those that its applications have. */
function patch(exports: ModuleExports): Undo | undefined {
  const undos = Object.values((exports ?? {}) as Record<string, unknown>).map((value) => {
    const prototype = routerOf(value);
    return prototype && patchRouter(prototype);
  });
  return undos.some(Boolean) ? undoAll(undos) : undefined;
}

function routerOf(value: unknown): HonoRouter | undefined {
  if (typeof value !== 'function') return undefined;
  const prototype = value.prototype as Partial<HonoRouter> & { route?: unknown };
  if (typeof prototype?.add === 'function' && typeof prototype.match === 'function') {
    return prototype as HonoRouter;
  }
  if (typeof prototype?.route !== 'function') return undefined;
  // Which class its router has only an application knows.
  const { router } = new (value as new () => { router?: object })();
  return router && (Object.getPrototypeOf(router) as HonoRouter);
}

const watched = new WeakSet<object>();

/** What an application sees of its routes are the handlers it was given: the router has others. */
function patchRouter(prototype: HonoRouter): Undo | undefined {
  if (typeof prototype.add !== 'function') return undefined;
  const release = reservePatch(prototype, 'routes');
  if (!release) return undefined;
  return undoAll([
    release,
    patchMethod(prototype, 'add', (original) => {
      return function add(method, path, entry) {
        // A router may hand its routes on to another one.
        const isKnown = !Array.isArray(entry) || watched.has(entry);
        const [handler, route] = isKnown ? [] : entry;
        if (typeof handler !== 'function' || route?.handler !== handler) {
          return original.call(this, method, path, entry);
        }
        const own: typeof entry = [watchHandler(handler, route), route];
        watched.add(own);
        return original.call(this, method, path, own);
      };
    }),
  ]);
}
