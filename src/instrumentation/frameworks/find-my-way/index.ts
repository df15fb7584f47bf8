import type { IncomingMessage } from 'node:http';

import type { FrameworkDefinition } from '../framework.ts';
import { defaultOf, type ModuleExports } from '../../module-hooks.ts';
import { reservePatch, patchMethod, undoAll, type Undo } from '../../../base/patch.ts';
import { shownRouteOf } from '../shown-route.ts';
import { watchErrors } from '../watched-handler.ts';
import { withArityOf } from '../watched-list.ts';

/** `find-my-way` by itself, and not in fastify and restify, which have instrumentations of their own. */
export const findMyWay: FrameworkDefinition = {
  name: 'find-my-way',
  modules: [{ module: 'find-my-way', versions: '>=5 <10', patch }],
};

/* The parts of find-my-way that are used. */

// oxlint-disable-next-line typescript/no-explicit-any
type RouteHandler = (request: IncomingMessage, ...rest: any[]) => unknown;

interface FoundRouter {
  on(method: unknown, path: string, ...rest: unknown[]): unknown;
  find(...args: unknown[]): unknown;
  lookup(...args: unknown[]): unknown;
}

function patch(exports: ModuleExports): Undo | undefined {
  const make = defaultOf(exports) as (() => FoundRouter) | undefined;
  if (typeof make !== 'function') return undefined;
  const prototype = Object.getPrototypeOf(make()) as FoundRouter | undefined;
  if (typeof prototype?.on !== 'function' || typeof prototype.lookup !== 'function')
    return undefined;
  const release = reservePatch(prototype, 'routes');
  if (!release) return undefined;
  const state = { isUndone: false };
  return undoAll([
    release,
    () => {
      state.isUndone = true;
    },
    patchMethod(prototype, 'on', (original) => {
      return function on(method, path, ...rest) {
        // The options are optional, and the store that comes last may be fastify's context.
        const at = typeof rest[0] === 'function' ? 0 : 1;
        const handler = rest[at];
        if (
          typeof handler === 'function' &&
          !watched.has(handler) &&
          !isOfFramework(rest[at + 1])
        ) {
          rest[at] = watch(handler as RouteHandler, path, state);
        }
        return original.call(this, method, path, ...rest);
      };
    }),
  ]);
}

/** A path with an optional parameter is registered twice, with the same handler. */
const watched = new WeakSet<object>();

function watch(handler: RouteHandler, path: string, state: { isUndone: boolean }): RouteHandler {
  const replacement = withArityOf(handler, function (this: unknown, request, ...rest) {
    const shown = state.isUndone ? undefined : shownRouteOf(request);
    if (shown === undefined) return handler.call(this, request, ...rest);
    shown.show(path, handler);
    const span = shown.request.startHandler({ framework: 'find-my-way', type: 'handler', handler });
    const run = (): unknown => handler.call(this, request, ...rest);
    return watchErrors(shown.request, () =>
      span === undefined ? run() : span.run(run, () => isAnswered(rest[0])),
    );
  });
  watched.add(replacement);
  return replacement;
}

function isAnswered(response: unknown): boolean {
  return (response as { writableEnded?: unknown } | undefined)?.writableEnded === true;
}

/** Fastify stores the context of a route, and restify the route with its chain of handlers. */
function isOfFramework(store: unknown): boolean {
  if (typeof store !== 'object' || store === null) return false;
  const { route } = store as { route?: { chain?: unknown } };
  return ('errorHandler' in store && 'config' in store) || route?.chain !== undefined;
}
