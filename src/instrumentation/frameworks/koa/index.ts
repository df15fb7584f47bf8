import type { FrameworkDefinition } from '../framework.ts';
import { defaultOf, type ModuleExports } from '../../module-hooks.ts';
import { reservePatch, patchMethod, undoAll, type Undo } from '../../../base/patch.ts';
import { shownRouteOf } from '../shown-route.ts';
import { patchRouter } from './router-source.ts';
import { patchCallback } from './middleware-spans.ts';
import type { KoaApplication, KoaContext, KoaRouter } from './library-types.ts';

/** `koa` with `@koa/router`, or with the package that had its name before. */
export const koa: FrameworkDefinition = {
  name: 'koa',
  modules: [
    { module: 'koa', versions: '>=2 <4', patch: patchKoa },
    { module: '@koa/router', versions: '>=8 <16', patch: patchRouterPackage },
    { module: 'koa-router', versions: '>=7 <15', patch: patchRouterPackage },
  ],
};

/** Records the errors that no middleware of the application has caught. */
function patchKoa(exports: ModuleExports): Undo | undefined {
  const Koa = defaultOf(exports);
  if (typeof Koa !== 'function' || typeof Koa.prototype?.createContext !== 'function') {
    return undefined;
  }
  // What all contexts inherit from is not exported by the package.
  const own = (new Koa() as { context?: object }).context;
  const context = own && (Object.getPrototypeOf(own) as KoaContext);
  const release = context && reservePatch(context, 'routes');
  if (!release) return undefined;
  return undoAll([
    release,
    patchCallback(Koa.prototype as KoaApplication),
    patchMethod(context, 'onerror', (original) => {
      return function onerror(error) {
        if (error !== null && error !== undefined)
          shownRouteOf(this.req)?.request.recordError(error);
        return original.call(this, error);
      };
    }),
  ]);
}

function patchRouterPackage(exports: ModuleExports): Undo | undefined {
  return patchRouter((defaultOf(exports)?.prototype ?? exports?.Router?.prototype) as KoaRouter);
}
