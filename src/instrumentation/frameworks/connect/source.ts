import type { IncomingMessage, ServerResponse } from 'node:http';

import { patchHotMethod } from '../../../base/patch.ts';
import { PrivateFields } from '../../../carry/private-fields.ts';
import { shownRouteOf, type ShownRoute } from '../shown-route.ts';
import { runCallback } from '../watched-handler.ts';
import { withArityOf, WatchedLists } from '../watched-list.ts';

/*
 * An application goes through its stack by itself, in a function that cannot be reached. For a
 * request that has a span it goes through a stack of layers that say that they run; the stack that
 * the application sees, and the functions in it, are its own.
 */

type Next = (error?: unknown) => void;

const CONNECT = { framework: 'connect' } as const;

// oxlint-disable-next-line typescript/no-explicit-any
type Middleware = (...args: any[]) => unknown;

interface ConnectLayer {
  /** The path that it is used at: none where it is used for all. */
  route: string;
  handle: Middleware;
}

export interface ConnectApplication {
  stack: ConnectLayer[];
  handle(request: IncomingMessage, response: ServerResponse, out?: Next): unknown;
}

/** Where a request is in the applications that are mounted in one another. */
class Visit {
  readonly shown: ShownRoute;
  /** Where each application is mounted that the request has entered. */
  readonly mounts = new WeakMap<ConnectApplication, string>();
  mount = '';

  constructor(shown: ShownRoute) {
    this.shown = shown;
  }
}

class VisitedRoute extends PrivateFields {
  #visit: Visit;

  private constructor(shown: ShownRoute) {
    super(shown);
    this.#visit = new Visit(shown);
  }

  static has(shown: ShownRoute): boolean {
    return #visit in shown;
  }

  static of(shown: ShownRoute): Visit {
    if (!(#visit in shown)) Reflect.construct(VisitedRoute, [shown]);
    return (shown as unknown as VisitedRoute).#visit;
  }
}

function visitOf(request: IncomingMessage): Visit | undefined {
  const shown = shownRouteOf(request);
  return shown && VisitedRoute.of(shown);
}

/** Patches one application, until `patches` are undone. */
export function patchApplication(
  application: ConnectApplication,
  patches: { isUndone: boolean },
): void {
  const layers = new WatchedLists<ConnectLayer>((layer) => watchLayer(application, layer));
  patchHotMethod(application, 'handle', (original) => {
    return function handle(this: ConnectApplication, request, response, out) {
      const shown = patches.isUndone ? undefined : shownRouteOf(request);
      if (shown === undefined) return original.call(this, request, response, out);
      const isOutermost = !VisitedRoute.has(shown);
      const visit = VisitedRoute.of(shown);
      visit.mounts.set(application, visit.mount);
      const watched = layers.of(this.stack);
      const stack = isOutermost ? [...watched, ...END] : watched;
      const entered = Object.create(this, { stack: { value: stack } }) as ConnectApplication;
      return original.call(entered, request, response, out);
    };
  });
}

function watchLayer(application: ConnectApplication, layer: ConnectLayer): ConnectLayer {
  const { route, handle } = layer;
  // What an application that is mounted was wrapped in has no name of the application's.
  const handler = handle.name === 'handle' ? undefined : handle;
  const watched =
    handle.length === 4
      ? (error: unknown, request: IncomingMessage, response: ServerResponse, next: Next) => {
          const shown = visitOf(request)?.shown;
          shown?.request.recordError(error);
          shown?.show(shown.route, handler);
          return runCallback(
            handler && shown?.request.startHandler({ ...CONNECT, type: 'error handler', handler }),
            (onwards) => handle(error, request, response, onwards),
            next,
            response,
            error,
          );
        }
      : (request: IncomingMessage, response: ServerResponse, next: Next) => {
          const visit = visitOf(request);
          if (visit !== undefined && !response.headersSent) {
            visit.mount = (visit.mounts.get(application) ?? '') + route;
            visit.shown.show(visit.mount, handler);
          }
          return runCallback(
            handler &&
              visit?.shown.request.startHandler({ ...CONNECT, type: 'middleware', handler }),
            (onwards) => handle(request, response, onwards),
            next,
            response,
          );
        };
  return { ...layer, handle: withArityOf(handle, watched as Middleware) };
}

/** What a request reaches that nothing has answered, with an error or without. */
const END: readonly ConnectLayer[] = [
  {
    route: '',
    handle: (request: IncomingMessage, response: ServerResponse, next: Next) => {
      if (!response.headersSent) visitOf(request)?.shown.show('', undefined);
      next();
    },
  },
  {
    route: '',
    handle: (error: unknown, request: IncomingMessage, _response: ServerResponse, next: Next) => {
      visitOf(request)?.shown.request.recordError(error);
      next(error);
    },
  },
];
