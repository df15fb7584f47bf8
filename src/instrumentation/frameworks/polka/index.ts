import type { IncomingMessage, ServerResponse } from 'node:http';

import type { FrameworkDefinition } from '../framework.ts';
import { defaultOf, type ModuleExports } from '../../module-hooks.ts';
import { reservePatch, patchMethod, undoAll, type Undo } from '../../../base/patch.ts';
import { routeIn } from '../route-path.ts';
import { shownRouteOf } from '../shown-route.ts';
import { runCallback } from '../watched-handler.ts';
import { WatchedLists, withArityOf } from '../watched-list.ts';

/** `polka`. */
export const polka: FrameworkDefinition = {
  name: 'polka',
  modules: [{ module: 'polka', versions: '>=0.5 <0.6', patch }],
};

/* The parts of polka that are used. */

type Next = (error?: unknown) => unknown;
// oxlint-disable-next-line typescript/no-explicit-any
type PolkaHandler = (request: IncomingMessage, response: any, next?: Next) => unknown;

interface PolkaApplication {
  /** The handlers of routes, by the methods and the paths of these. */
  handlers: Record<string, Record<string, PolkaHandler[]> | undefined>;
  find(method: string, url: string): { handlers: PolkaHandler[] } | false;
  use(base: unknown, ...rest: unknown[]): unknown;
}

function patch(exports: ModuleExports): Undo | undefined {
  const make = defaultOf(exports) as (() => PolkaApplication) | undefined;
  if (typeof make !== 'function') return undefined;
  // The class is not exported.
  const prototype = Object.getPrototypeOf(make()) as PolkaApplication | undefined;
  if (typeof prototype?.find !== 'function') return undefined;
  const release = reservePatch(prototype, 'routes');
  if (!release) return undefined;
  return undoAll([
    release,
    patchMethod(prototype, 'use', (original) => {
      return function use(base, ...rest) {
        for (const one of typeof base === 'string' ? rest : []) {
          const isMounted = Object.prototype.isPrototypeOf.call(prototype, one as object);
          if (isMounted) noteMount(one as PolkaApplication, { parent: this, base: base as string });
        }
        return original.call(this, base, ...rest);
      };
    }),
    patchMethod(prototype, 'find', (original) => {
      return function find(method, url) {
        const found = original.call(this, method, url);
        if (found === false) return found;
        const route = routeOf(this, method, found.handlers);
        if (route === undefined) return found;
        return { ...found, handlers: watchedBy(this, route).of(found.handlers) };
      };
    }),
  ]);
}

interface Mount {
  parent: PolkaApplication;
  base: string;
}
/** Where an application is mounted. One that is mounted twice has no path that is surely its own. */
const mounts = new WeakMap<PolkaApplication, Mount | 'several'>();

function noteMount(application: PolkaApplication, mount: Mount): void {
  mounts.set(application, mounts.has(application) ? 'several' : mount);
}

function mountOf(application: PolkaApplication): string | undefined {
  const mount = mounts.get(application);
  if (mount === undefined) return '';
  if (mount === 'several') return undefined;
  const outer = mountOf(mount.parent);
  return outer === undefined ? undefined : outer + routeIn('', `/${mount.base}`.replace('//', '/'));
}

/** The path of the route with these handlers, as it was given. */
function routeOf(
  application: PolkaApplication,
  method: string,
  found: PolkaHandler[],
): string | undefined {
  for (const byPath of [application.handlers[method], application.handlers['*']]) {
    for (const [path, handlers] of Object.entries(byPath ?? {})) {
      if (handlers !== found) continue;
      const mount = mountOf(application);
      return mount === undefined ? undefined : routeIn(mount, path);
    }
  }
  return undefined;
}

const watchers = new WeakMap<PolkaApplication, Map<string, WatchedLists<PolkaHandler>>>();

function watchedBy(application: PolkaApplication, route: string): WatchedLists<PolkaHandler> {
  const byRoute = watchers.get(application) ?? new Map<string, WatchedLists<PolkaHandler>>();
  watchers.set(application, byRoute);
  const known = byRoute.get(route) ?? new WatchedLists((handler) => watch(handler, route));
  byRoute.set(route, known);
  return known;
}

function watch(handler: PolkaHandler, route: string): PolkaHandler {
  return withArityOf(handler, function (this: unknown, request, response, next) {
    const shown = shownRouteOf(request);
    if (shown === undefined) return handler.call(this, request, response, next);
    shown.show(route, handler);
    const onwards: Next = (error) => {
      if (error) shown.request.recordError(error);
      return next?.(error);
    };
    return runCallback(
      shown.request.startHandler({ framework: 'polka', type: 'handler', handler }),
      (given: Next) => handler.call(this, request, response, next && given),
      onwards,
      response as ServerResponse,
    );
  });
}
