import {
  serverRequestOf,
  type Handler,
  type ServerRequest,
} from '../http/server/server-request.ts';
import { PrivateFields } from '../../carry/private-fields.ts';
import { officialRequestOf } from './official-request.ts';

/**
 * The route of a request, and the handler that answers, as far as they are known. A route that was
 * entered may be left again with nothing answered.
 */
export class ShownRoute {
  readonly request: ServerRequest;
  #route = '';
  #handler: Handler | undefined;

  constructor(request: ServerRequest) {
    this.request = request;
  }

  get route(): string {
    return this.#route;
  }

  get handler(): Handler | undefined {
    return this.#handler;
  }

  /** Shows `route`, none where it is empty, and the handler that is about to run. */
  show(route: string, handler: Handler | undefined): void {
    this.#route = route;
    this.#handler = handler;
    this.request.setRoute(route, handler);
  }
}

/** A request with what it was told, which nobody else can see. */
class RequestWithRoute extends PrivateFields {
  #shown: ShownRoute;

  private constructor(request: ServerRequest) {
    super(request);
    this.#shown = new ShownRoute(request);
  }

  static of(request: ServerRequest): ShownRoute {
    if (!(#shown in request)) Reflect.construct(RequestWithRoute, [request]);
    return (request as unknown as RequestWithRoute).#shown;
  }
}

/** What the request of `message` was told; undefined where it has no span. */
export function shownRouteOf(message: object): ShownRoute | undefined {
  const request = serverRequestOf(message) ?? officialRequestOf(message);
  return request && RequestWithRoute.of(request);
}
