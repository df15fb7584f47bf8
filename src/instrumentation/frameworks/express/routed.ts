import type { ServerResponse } from 'node:http';

import { PrivateFields } from '../../../carry/private-fields.ts';
import { shownRouteOf, type ShownRoute } from '../shown-route.ts';
import { routeIn } from '../route-path.ts';
import { matchedPathOf, MountLayer, Mounts } from './mounts.ts';
import type { Layer, LayerHandle, LayerPath, RoutedMessage } from './library-types.ts';

/** Where a request is in the routers of an application. It goes with the request. */
export class Routed {
  readonly #shown: ShownRoute;
  readonly #mounts = new Mounts();
  /** The path of the last route that matched, and not of a middleware. */
  #matched = '';

  constructor(shown: ShownRoute) {
    this.#shown = shown;
  }

  /** Called before each layer: the one that was entered last is the one that answers. */
  enter(layer: Layer, request: RoutedMessage, response: ServerResponse): void {
    if (response.headersSent && this.#shown.route !== '') return;
    // The layers inside a route have no such property.
    const { route } = layer;
    if (route !== undefined) {
      this.enterRoute(layer, route.path, request);
      return;
    }
    const path = MountLayer.pathOf(layer);
    const mount =
      path === undefined ? this.#mounts.at(request) : this.#mounts.enter(request, layer, path);
    const shown = path === undefined && this.#matched !== '' ? this.#matched : mount;
    this.#shown.show(shown, nameable(layer.handle));
  }

  /** Called when a route has matched, before its handlers run. */
  enterRoute(layer: Layer, path: LayerPath, request: RoutedMessage): void {
    this.#matched = routeIn(this.#mounts.at(request), matchedPathOf(layer, path, request));
    this.#shown.show(this.#matched, undefined);
  }

  /** Called before a callback for a parameter, which is that of a route or of a mount. */
  enterParameter(request: RoutedMessage, response: ServerResponse, callback: LayerHandle): void {
    if (response.headersSent || request.route === undefined) return;
    const { path } = request.route;
    // The layer is not known here, and of several paths neither is the one.
    const pattern = typeof path === 'string' || path instanceof RegExp ? path : undefined;
    if (pattern === undefined) return;
    this.#matched = routeIn(this.#mounts.at(request), pattern);
    this.#shown.show(this.#matched, callback);
  }

  fail(error: unknown): void {
    this.#shown.request.recordError(error);
  }

  /** Nothing in the application has answered. */
  leave(): void {
    this.#matched = '';
    this.#shown.show('', undefined);
  }

  /** An error handler is about to answer: the route stays the one that failed. */
  enterErrorHandler(layer: Layer): void {
    this.#shown.show(this.#shown.route, nameable(layer.handle));
  }
}

/** A request with where it is, which nobody else can see. */
class RoutedRequest extends PrivateFields {
  #routed: Routed;

  private constructor(shown: ShownRoute) {
    super(shown);
    this.#routed = new Routed(shown);
  }

  static of(shown: ShownRoute): Routed {
    if (!(#routed in shown)) Reflect.construct(RoutedRequest, [shown]);
    return (shown as unknown as RoutedRequest).#routed;
  }

  static has(shown: ShownRoute): boolean {
    return #routed in shown;
  }
}

/** Where `request` is; undefined where it has no span. */
export function routedOf(request: object): Routed | undefined {
  const shown = shownRouteOf(request);
  return shown && RoutedRequest.of(shown);
}

/** The same for what is the outermost router of `request`. */
export function firstRoutedOf(request: object): Routed | undefined {
  const shown = shownRouteOf(request);
  return shown === undefined || RoutedRequest.has(shown) ? undefined : RoutedRequest.of(shown);
}

/** A handler of the application's; none of a router's own. */
export function nameable(handle: LayerHandle): LayerHandle | undefined {
  const isRouter = Array.isArray(handle.stack) || handle.name === 'mounted_app';
  return isRouter ? undefined : handle;
}
