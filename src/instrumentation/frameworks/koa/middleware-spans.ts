import { areHandlerSpansAsked } from '../../http/server/handler-span.ts';
import type { ServerRequest } from '../../http/server/server-request.ts';
import { patchMethod, type Undo } from '../../../base/patch.ts';
import { shownRouteOf } from '../shown-route.ts';
import type { KoaApplication, KoaContext, Middleware } from './library-types.ts';

/*
 * Spans of the middlewares of an application. It puts them together when it is asked for its callback,
 * and then gets a view of its own list, in which each says that it runs.
 */

/** Runs a middleware, in a span where it is to have one. */
export function runMiddleware(
  request: ServerRequest,
  type: 'middleware' | 'handler',
  handler: Middleware,
  self: unknown,
  context: KoaContext,
  next: () => unknown,
): unknown {
  const span = request.startHandler({ framework: 'koa', type, handler });
  if (span === undefined) return handler.call(self, context, next);
  return span.run(() => handler.call(self, context, span.around(next)));
}

/** Patches what makes the callback of an application, where spans are asked for by then. */
export function patchCallback(prototype: KoaApplication): Undo | undefined {
  return patchMethod(prototype, 'callback', (original) => {
    return function callback() {
      if (!areHandlerSpansAsked()) return original.call(this);
      const own = this.middleware;
      this.middleware = viewOf(own);
      try {
        return original.call(this);
      } finally {
        this.middleware = own;
      }
    };
  });
}

/** The application may add to its list later. */
function viewOf(list: Middleware[]): Middleware[] {
  return new Proxy(list, {
    get: (target, key, receiver) => {
      const value: unknown = Reflect.get(target, key, receiver);
      return typeof value === 'function' && typeof key === 'string' && /^\d+$/.test(key)
        ? watched(value as Middleware)
        : value;
    },
  });
}

/** An entry goes with the middleware. */
const known = new WeakMap<Middleware, Middleware>();

/** The middlewares of a router have spans of their own. */
function watched(handler: Middleware): Middleware {
  if ('router' in handler) return handler;
  let watcher = known.get(handler);
  if (watcher === undefined) {
    watcher = function (this: unknown, context, next) {
      const shown = shownRouteOf(context.req);
      if (shown === undefined) return handler.call(this, context, next);
      return runMiddleware(shown.request, 'middleware', handler, this, context, next);
    };
    known.set(handler, watcher);
  }
  return watcher;
}
