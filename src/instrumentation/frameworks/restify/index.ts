import type { IncomingMessage, ServerResponse } from 'node:http';

import type { FrameworkDefinition } from '../framework.ts';
import type { ModuleExports } from '../../module-hooks.ts';
import { reservePatch, patchMethod, undoAll, type Undo } from '../../../base/patch.ts';
import { shownRouteOf, type ShownRoute } from '../shown-route.ts';
import { runCallback } from '../watched-handler.ts';
import { WatchedLists, withArityOf } from '../watched-list.ts';

const VERSIONS = '>=11 <13';

/** `restify`. */
export const restify: FrameworkDefinition = {
  name: 'restify',
  modules: [
    { module: 'restify/lib/router', versions: VERSIONS, patch: patchRouter },
    { module: 'restify/lib/chain', versions: VERSIONS, patch: patchChain },
    { module: 'restify/lib/server', versions: VERSIONS, patch: patchServer },
  ],
};

/* The parts of restify that are used. */

interface RestifyRequest extends IncomingMessage {
  route?: { path?: string | RegExp };
}

interface RestifyRouter {
  lookup(request: RestifyRequest, response: object): unknown;
  lookupByName(name: string, request: RestifyRequest, response: object): unknown;
}

// oxlint-disable-next-line typescript/no-explicit-any
type ChainHandler = ((...args: any[]) => unknown) & { _name?: string | undefined };

interface Chain {
  _stack: ChainHandler[];
  run(request: RestifyRequest, response: object, done: unknown): unknown;
}

interface RestifyServer {
  _onHandlerError(error: unknown, request: RestifyRequest, ...rest: unknown[]): unknown;
}

function patchRouter(exports: ModuleExports): Undo | undefined {
  const prototype = exports?.prototype as RestifyRouter | undefined;
  const release = typeof prototype?.lookup === 'function' && reservePatch(prototype, 'routes');
  if (!prototype || !release) return undefined;
  return undoAll([
    release,
    patchMethod(prototype, 'lookup', (original) => {
      return function lookup(request, response) {
        const found = original.call(this, request, response);
        if (found !== undefined) showRoute(request);
        return found;
      };
    }),
    patchMethod(prototype, 'lookupByName', (original) => {
      return function lookupByName(name, request, response) {
        const found = original.call(this, name, request, response);
        if (found !== undefined) showRoute(request);
        return found;
      };
    }),
  ]);
}

function showRoute(request: RestifyRequest): void {
  const path = request.route?.path;
  if (path !== undefined) shownRouteOf(request)?.show(String(path), undefined);
}

/** A chain gets the handlers from its stack: for a request with a span, handlers that name themselves. */
function patchChain(exports: ModuleExports): Undo | undefined {
  const prototype = exports?.prototype as Chain | undefined;
  const release = typeof prototype?.run === 'function' && reservePatch(prototype, 'routes');
  if (!prototype || !release) return undefined;
  const handlers = new WatchedLists<ChainHandler>(watch);
  return undoAll([
    release,
    patchMethod(prototype, 'run', (original) => {
      return function run(request, response, done) {
        if (shownRouteOf(request) === undefined) {
          return original.call(this, request, response, done);
        }
        const stack = { value: handlers.of(this._stack) };
        return original.call(
          Object.create(this, { _stack: stack }) as Chain,
          request,
          response,
          done,
        );
      };
    }),
  ]);
}

function watch(handler: ChainHandler): ChainHandler {
  const isForErrors = handler.length === 4;
  const watched: ChainHandler = function (this: unknown, ...args) {
    const shown = shownRouteOf(args[isForErrors ? 1 : 0] as object);
    if (shown !== undefined) {
      if (isForErrors) shown.request.recordError(args[0]);
      shown.show(shown.route, handler);
    }
    const type = isForErrors ? 'error handler' : 'middleware';
    const span = shown?.request.startHandler({ framework: 'restify', type, handler });
    if (span === undefined) return handler.apply(this, args);
    const at = isForErrors ? 3 : 2;
    const run = (onwards: ChainHandler): unknown => handler.apply(this, args.with(at, onwards));
    return typeof args[at] === 'function'
      ? runCallback(span, run, args[at] as ChainHandler, args[at - 1] as ServerResponse, args[0])
      : span.run(() => handler.apply(this, args));
  };
  return Object.assign(withArityOf(handler, watched), { _name: handler._name });
}

function patchServer(exports: ModuleExports): Undo | undefined {
  const prototype = exports?.prototype as RestifyServer | undefined;
  const release =
    typeof prototype?._onHandlerError === 'function' && reservePatch(prototype, 'errors');
  if (!prototype || !release) return undefined;
  return undoAll([
    release,
    patchMethod(prototype, '_onHandlerError', (original) => {
      return function _onHandlerError(error, request, ...rest) {
        const shown = shownRouteOf(request);
        if (shown && error instanceof Error) {
          if (isNotFound(shown, error)) shown.show('', undefined);
          else shown.request.recordError(error);
        }
        return original.call(this, error, request, ...rest);
      };
    }),
  ]);
}

/** A path that is not found is not an error of the application. */
function isNotFound({ route }: ShownRoute, error: Error & { statusCode?: number }): boolean {
  return route === '' && [404, 405].includes(error.statusCode ?? 0);
}
