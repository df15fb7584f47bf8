import { http } from '../../base/node-http.ts';

import { context, createContextKey, type Span } from '@opentelemetry/api';

import { CODE_FUNCTION_NAME } from '../http/attributes.ts';
import { pathOf } from '../http/path-patterns.ts';
import type { Handler, ServerRequest } from '../http/server/server-request.ts';
import { addExceptionEvent, messageShownOf } from '../recorder/exception-event.ts';

/*
 * Requests whose spans OpenTelemetry's own instrumentation of HTTP makes. It keeps an object in the
 * context of a request, and names the span by the route that it finds there at the end.
 */

const RPC_METADATA = createContextKey('OpenTelemetry SDK Context Key RPC_METADATA');

interface RpcMetadata {
  type?: unknown;
  span?: Span;
  route?: string | undefined;
}

class OfficialRequest implements ServerRequest {
  readonly span: Span;
  readonly path: string;
  readonly #metadata: RpcMetadata;
  readonly #errors = new WeakSet<object>();

  constructor(metadata: RpcMetadata, span: Span, url: string) {
    this.#metadata = metadata;
    this.span = span;
    this.path = pathOf(url);
  }

  get route(): string | undefined {
    return this.#metadata.route;
  }

  refineRoute(route: string): void {
    this.#metadata.route = route;
  }

  setRoute(route: string, handler?: Handler): void {
    this.#metadata.route = route === '' ? undefined : route;
    const name = handler?.name.replace(/^bound /, '');
    if (name) this.span.setAttribute(CODE_FUNCTION_NAME, name);
  }

  setProtocol(): void {
    // That instrumentation knows nothing of HTTP/2, which all of them go over.
  }

  startHandler(): undefined {
    // The official instrumentations of frameworks make those spans.
    return undefined;
  }

  recordError(error: unknown): void {
    if (typeof error === 'object' && error !== null) {
      if (this.#errors.has(error)) return;
      this.#errors.add(error);
    }
    addExceptionEvent(this.span, error, messageShownOf(error));
  }
}

const known = new WeakMap<object, ServerRequest>();

/** The request of `message`, which is being handled now; undefined where nothing was left for it. */
export function officialRequestOf(message: object): ServerRequest | undefined {
  // Those that are made up to ask an application from inside have no span.
  if (!(message instanceof http.IncomingMessage)) return undefined;
  const found = context.active().getValue(RPC_METADATA) as RpcMetadata | undefined;
  // Ours leave themselves there, for official instrumentations of frameworks.
  if (found?.type !== 'http' || found.span === undefined || 'setRoute' in found) return undefined;
  const request = known.get(found) ?? new OfficialRequest(found, found.span, message.url ?? '');
  known.set(found, request);
  return request;
}
