import { subscribe, unsubscribe } from 'node:diagnostics_channel';

import satisfies from 'semver/functions/satisfies.js';

import { reservePatch, patchMethod, undoAll, type Undo } from '../../../base/patch.ts';
import { shownRouteOf } from '../shown-route.ts';
import { areHandlerSpansAsked } from '../../http/server/handler-span.ts';
import {
  contextOf,
  notFoundContextOf,
  OWN_HOOK,
  setWatching,
  watchHandler,
} from './route-context.ts';
import type { ErrorHandlers, FastifyInstance, FastifyRequest, Hook } from './library-types.ts';

/*
 * Fastify publishes each instance that is made. A hook at its root comes before every other, sees
 * the route that was found, and is inherited by all that is registered in it.
 */

const CHANNEL = 'fastify.initialization';

/** Follows the instances that are made from now on. */
export function followInstances(versions: string): Undo {
  let isUndone = false;
  const follow = (message: unknown): void => {
    const { fastify } = message as { fastify?: FastifyInstance };
    const release = fastify && reservePatch(fastify, 'routes');
    if (!release) return;
    const { version } = fastify;
    if (version && !satisfies(version, versions, { includePrerelease: true })) return;
    const addHook = addHookOf(fastify);
    addHook(
      'onRequest',
      own((request: FastifyRequest, _reply: unknown, done: () => void) => {
        if (!isUndone) showRoute(request);
        done();
      }),
    );
    // What is reported by the error handlers, too, where those can be patched.
    addHook(
      'onError',
      own((request: FastifyRequest, _reply: unknown, error: unknown, done: () => void) => {
        if (!isUndone) shownRouteOf(request.raw)?.request.recordError(error);
        done();
      }),
    );
  };
  setWatching(true);
  subscribe(CHANNEL, follow);
  return () => {
    isUndone = true;
    setWatching(false);
    unsubscribe(CHANNEL, follow);
  };
}

type AddHook = (name: 'onRequest' | 'onError', hook: Hook) => unknown;

/** The method itself, where `@fastify/otel` has put one in its place that makes spans of all hooks. */
function addHookOf(fastify: FastifyInstance): AddHook {
  const kept = Object.getOwnPropertySymbols(fastify).find(
    ({ description }) => description === 'fastify otel addhook original',
  );
  const original: unknown = kept && Reflect.get(fastify, kept);
  if (typeof original === 'function') return original.bind(fastify) as AddHook;
  return fastify.addHook.bind(fastify) as AddHook;
}

function own<Hook extends object>(hook: Hook): Hook {
  return Object.defineProperty(hook, 'name', { value: OWN_HOOK });
}

function showRoute(request: FastifyRequest): void {
  const shown = shownRouteOf(request.raw);
  const context = shown && contextOf(request);
  if (shown === undefined || context === undefined) return;
  const route = context.config?.url;
  if (typeof route === 'string') shown.show(route === '' ? '/' : route, undefined);
  else if (!areHandlerSpansAsked()) return;
  watchHandler(context, route);
  const notFound = areHandlerSpansAsked() ? notFoundContextOf(context) : undefined;
  if (notFound) watchHandler(notFound, undefined);
}

/** Patches what calls the error handlers: those of the application, and fastify's own. */
export function patchErrorHandlers(exports: ErrorHandlers | undefined): Undo | undefined {
  if (typeof exports?.handleError !== 'function') return undefined;
  const release = reservePatch(exports, 'errors');
  if (!release) return undefined;
  return undoAll([
    release,
    patchMethod(exports, 'handleError', (original) => {
      return function handleError(reply, error, ...rest) {
        shownRouteOf(reply.request.raw)?.request.recordError(error);
        return original.call(this, reply, error, ...rest);
      };
    }),
  ]);
}
