import { CODE_FUNCTION_NAME } from '../http/attributes.ts';
import {
  serverRequestOf,
  type Handler,
  type ServerRequest,
} from '../http/server/server-request.ts';
import { Stamped } from '../stamped.ts';
import { officialRequestOf } from './official-request.ts';

/** What a request has to be able to do beside what routers are told of it. */
type EndingRequest = ServerRequest & { end?: (...args: unknown[]) => unknown };

/**
 * The route of a request, and the handler that answers, as far as they are known. A route that was
 * entered may be left again with nothing answered, so the request gets both at its end.
 */
export class ShownRoute {
  readonly request: ServerRequest;
  /** Whether the request is told at once. */
  readonly #isTold: boolean;
  #route = '';
  #handler: Handler | undefined;

  constructor(request: EndingRequest) {
    this.request = request;
    const { end } = request;
    this.#isTold = end === undefined;
    if (end === undefined) return;
    request.end = (...args) => {
      this.#tell();
      return end.apply(request, args);
    };
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
    if (this.#isTold) this.request.setRoute(route, handler);
  }

  #tell(): void {
    if (this.#route !== '') this.request.setRoute(this.#route, this.#handler);
    else if (this.#handler) {
      const name = this.#handler.name.replace(/^bound /, '');
      if (name !== '') this.request.span.setAttribute(CODE_FUNCTION_NAME, name);
    }
  }
}

/** A request with what it was told, which nobody else can see. */
class RequestWithRoute extends Stamped {
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
