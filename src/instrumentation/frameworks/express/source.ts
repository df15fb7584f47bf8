import type { ServerResponse } from 'node:http';

import { messageOf } from '../../../base/errors.ts';
import { sayOnce } from '../../../base/log.ts';
import {
  reservePatch,
  patchHotMethod,
  patchMethod,
  undoAll,
  type Undo,
} from '../../../base/patch.ts';
import { shownRouteOf } from '../shown-route.ts';
import { MountLayer } from './mounts.ts';
import type { HandlerSpan } from '../../http/server/handler-span.ts';
import { runLayer } from './layer-span.ts';
import { firstRoutedOf, nameable, routedOf } from './routed.ts';
import type { LayerPrototype, Next, RoutedMessage, Router } from './library-types.ts';

/*
 * Routers and their layers. Nothing of the application's is wrapped: its handlers and the stacks that
 * hold them are its own, and so is the `next` that they get unless they are to have spans.
 */

/** Patches the routers that `make` makes, and their layers. */
export function patchRouters(make: unknown): Undo | undefined {
  const found = prototypesOf(make);
  if (found === undefined) return undefined;
  const { router, layer } = found;
  const release = reservePatch(layer, 'routes');
  if (!release) return undefined;
  const { handle_request: isOld } = layer;
  return undoAll([
    release,
    isOld ? patchHandle(layer, 'handle_request') : patchHandle(layer, 'handleRequest'),
    isOld ? patchHandleError(layer, 'handle_error') : patchHandleError(layer, 'handleError'),
    patchUse(router),
    patchParam(router),
    patchRouter(router),
  ]);
}

/** What an application does to its requests and its stacks must not make its routes fail. */
function look(run: () => void): void {
  try {
    run();
  } catch (error) {
    sayOnce('error', 'express', `cannot find the route of a request: ${messageOf(error)}`);
  }
}

/** The classes are exported by no version: a router that is made to be looked at leads to them. */
function prototypesOf(make: unknown): { router: Router; layer: LayerPrototype } | undefined {
  if (typeof make !== 'function') return undefined;
  const sample = (make as () => Partial<Router> | undefined)();
  if (typeof sample?.use !== 'function' || !Array.isArray(sample.stack)) return undefined;
  sample.use(() => undefined);
  const [layer] = sample.stack;
  // Routers of version 2 inherit by way of an object that each of them has.
  let router = Object.getPrototypeOf(sample) as Router;
  while (!Object.hasOwn(router, 'use')) router = Object.getPrototypeOf(router) as Router;
  const prototype = layer && (Object.getPrototypeOf(layer) as LayerPrototype);
  if (!(prototype?.handle_request ?? prototype?.handleRequest)) return undefined;
  return { router, layer: prototype };
}

function patchHandle(
  layer: LayerPrototype,
  method: 'handle_request' | 'handleRequest',
): Undo | undefined {
  return patchHotMethod(layer as Required<LayerPrototype>, method, (original, patch) => {
    return function (request, response, next) {
      // A middleware for errors is passed over.
      if (!patch.isUndone && this.handle.length <= 3) {
        look(() => routedOf(request)?.enter(this, request, response));
        const span = spanOf(this, request, 'method' in this ? 'handler' : 'middleware');
        if (span !== undefined) {
          const run = (onwards: Next): unknown => original.call(this, request, response, onwards);
          return runLayer({ span, request, response, next }, run);
        }
      }
      return original.call(this, request, response, next);
    };
  });
}

function patchHandleError(
  layer: LayerPrototype,
  method: 'handle_error' | 'handleError',
): Undo | undefined {
  return patchHotMethod(layer as Required<LayerPrototype>, method, (original, patch) => {
    return function (error, request, response, next) {
      if (!patch.isUndone) {
        const routed = routedOf(request);
        routed?.fail(error);
        if (this.handle.length === 4) {
          routed?.enterErrorHandler(this);
          const span = spanOf(this, request, 'error handler');
          if (span !== undefined) {
            const run = (onwards: Next): unknown =>
              original.call(this, error, request, response, onwards);
            return runLayer({ span, request, response, next, given: error }, run);
          }
        }
      }
      return original.call(this, error, request, response, next);
    };
  });
}

/** The span of a layer's handler, where it is to have one; routers and routes have none. */
function spanOf(
  layer: LayerPrototype,
  request: RoutedMessage,
  type: 'middleware' | 'handler' | 'error handler',
): HandlerSpan | undefined {
  const handler = layer.route === undefined ? nameable(layer.handle) : undefined;
  if (handler === undefined) return undefined;
  return shownRouteOf(request)?.request.startHandler({ framework: 'express', type, handler });
}

/** Notes the paths of the layers that are added. */
function patchUse(router: Router): Undo | undefined {
  return patchMethod(router, 'use', (original) => {
    return function use(...args) {
      const before = this.stack.length;
      const result = original.apply(this, args);
      const [path] = args as Parameters<typeof isPath>;
      if (isPath(path)) {
        for (const layer of this.stack.slice(before)) MountLayer.note(layer, path);
      }
      return result;
    };
  });
}

/** As `use` sees it: a list may be one of paths, or one of functions. */
function isPath(first: unknown): first is string {
  let one = first;
  while (Array.isArray(one) && one.length > 0) one = one[0] as unknown;
  return typeof one !== 'function';
}

/** A callback for a parameter runs before the route that has it, and may be the one that answers. */
function patchParam(router: Router): Undo | undefined {
  return patchMethod(router, 'param', (original) => {
    return function param(name, callback, ...rest) {
      if (typeof callback !== 'function') return original.call(this, name, callback, ...rest);
      return original.call(this, name, withRoute(callback as ParamCallback), ...rest);
    };
  });
}

type ParamCallback = (
  request: RoutedMessage,
  response: ServerResponse,
  next: Next,
  ...rest: unknown[]
) => unknown;

function withRoute(callback: ParamCallback): ParamCallback {
  return function (this: unknown, request, response, next, ...rest) {
    look(() => routedOf(request)?.enterParameter(request, response, callback));
    return callback.call(this, request, response, next, ...rest);
  };
}

/** What reaches the end of the outermost router was answered by nothing, or has failed. */
function patchRouter(router: Router): Undo | undefined {
  return patchHotMethod(router, 'handle', (original, patch) => {
    return function handle(request, response, done) {
      const routed = patch.isUndone ? undefined : firstRoutedOf(request);
      if (routed === undefined || typeof done !== 'function') {
        return original.call(this, request, response, done);
      }
      return original.call(this, request, response, function (this: unknown, error) {
        if (error && error !== 'route' && error !== 'router') routed.fail(error);
        else if (!response.headersSent) routed.leave();
        return done.call(this, error);
      });
    };
  });
}
