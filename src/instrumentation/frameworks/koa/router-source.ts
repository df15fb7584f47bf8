import { CallScope } from '../../../carry/call-scope.ts';
import {
  reservePatch,
  patchMethod,
  replaceFunction,
  undoAll,
  type Undo,
} from '../../../base/patch.ts';
import { pathnameOf, routeIn } from '../route-path.ts';
import { shownRouteOf } from '../shown-route.ts';
import { watchErrors } from '../watched-handler.ts';
import { runMiddleware } from './middleware-spans.ts';
import type { KoaContext, KoaRouter, Matched, Middleware, RouterLayer } from './library-types.ts';

/*
 * Routers of koa put the handlers of all layers that match into one chain. For a request that has a
 * span the router gets layers that inherit from its own, and whose handlers say that they run; what
 * the application sees are its own.
 */

/** The request whose router is about to look for a match: nothing runs in between. */
const dispatched = new CallScope<KoaContext>();

/** Patches a class of routers. */
export function patchRouter(prototype: KoaRouter): Undo | undefined {
  if (typeof prototype?.match !== 'function' || typeof prototype.routes !== 'function') {
    return undefined;
  }
  const release = reservePatch(prototype, 'routes');
  if (!release) return undefined;
  const undos: Undo[] = [];
  const made = new WeakSet<Middleware>();
  const watched = (make: () => Middleware) =>
    function (this: KoaRouter): Middleware {
      const dispatch = make.call(this);
      // One of the two methods may call the other.
      if (typeof dispatch !== 'function' || made.has(dispatch)) return dispatch;
      const { replacement, undo } = replaceFunction(dispatch, watchDispatch);
      undos.push(undo);
      made.add(replacement);
      return replacement;
    };
  return undoAll([
    release,
    () => undoAll(undos)(),
    patchMethod(prototype, 'routes', watched),
    patchMethod(prototype, 'middleware', watched),
    patchMethod(prototype, 'match', (original) => {
      return function match(...args) {
        const context = dispatched.take();
        const matched = original.apply(this, args);
        return context === undefined ? matched : withWatchedLayers(matched);
      };
    }),
  ]);
}

function watchDispatch(dispatch: Middleware): Middleware {
  return function (this: unknown, context, next) {
    const outer = dispatched.enter(shownRouteOf(context.req) && context);
    try {
      return dispatch.call(this, context, next);
    } finally {
      dispatched.leave(outer);
    }
  };
}

/** A middleware runs for the route that comes after it. */
function withWatchedLayers(matched: Matched): Matched {
  const layers = [...matched.pathAndMethod];
  let route: string | undefined;
  for (let index = layers.length - 1; index >= 0; index--) {
    const layer = layers[index] as RouterLayer;
    if (layer.methods.length > 0) route = routeOf(layer);
    if (route !== undefined) layers[index] = watchedLayer(layer, route);
  }
  return { ...matched, pathAndMethod: layers };
}

/** Old versions end the path of what is at the root of a nested router with a slash. */
function routeOf({ path, opts }: RouterLayer): string {
  const route = routeIn('', path);
  const canGo = typeof path === 'string' && route.length > 1 && opts?.strict !== true;
  return canGo && route.endsWith('/') ? route.slice(0, -1) : route;
}

interface WatchedLayer {
  layer: RouterLayer;
  /** The handlers that it was made for. */
  stack: readonly Middleware[];
}
/** What was made of a layer, by the routes that it runs for. An entry goes with the layer. */
const watchedLayers = new WeakMap<RouterLayer, Map<string, WatchedLayer>>();

function watchedLayer(layer: RouterLayer, route: string): RouterLayer {
  const known = watchedLayers.get(layer) ?? new Map<string, WatchedLayer>();
  watchedLayers.set(layer, known);
  const { stack } = layer;
  let watched = known.get(route);
  if (
    watched?.stack.length !== stack.length ||
    watched.stack.some((handler, index) => handler !== stack[index])
  ) {
    const type = layer.methods.length > 0 ? 'handler' : 'middleware';
    const value = stack.map((handler) => watchHandler(handler, route, type));
    const property = { value, writable: true, enumerable: true, configurable: true };
    watched = {
      layer: Object.create(layer, { stack: property }) as RouterLayer,
      stack: [...stack],
    };
    known.set(route, watched);
  }
  return watched.layer;
}

function watchHandler(
  handler: Middleware,
  route: string,
  type: 'handler' | 'middleware',
): Middleware {
  return function (this: unknown, context, next) {
    const shown = shownRouteOf(context.req);
    if (shown === undefined) return handler.call(this, context, next);
    shown.show(routeIn(mountOf(context), route), handler);
    return watchErrors(shown.request, () =>
      runMiddleware(shown.request, type, handler, this, context, next),
    );
  };
}

/** What `koa-mount` has taken off the path: a text of the application's. */
function mountOf({ mountPath, path, originalUrl }: KoaContext): string {
  if (mountPath === undefined) return '';
  const whole = pathnameOf(originalUrl);
  const rest = path === '/' && !whole.endsWith('/') ? '' : path;
  if (!whole.endsWith(rest)) return '';
  const mount = whole.slice(0, whole.length - rest.length);
  // Whoever writes to the path has another one in mind.
  return mount.endsWith(mountPath.replace(/\/$/, '')) ? mount : '';
}
