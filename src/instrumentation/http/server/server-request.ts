import { context, type Attributes, type Context, type Span } from '@opentelemetry/api';

import { PrivateFields } from '../../../carry/private-fields.ts';
import type { Handler } from './handler-name.ts';
import type { HandlerCall, HandlerSpan } from './handler-span.ts';
import { inFlightOf, type InFlight } from './request-context.ts';
import type { ResponseEnd } from './response-end.ts';

export type { Handler };

/** A protocol that has HTTP below it, as the span of a request shows it. */
export interface ProtocolAbove {
  readonly spanName: string;
  readonly attributes: Attributes;
  /** What the end of the response means in it. */
  readEnd(end: ResponseEnd): ProtocolEnd;
}

/** How a request ended. */
export interface ProtocolEnd {
  readonly attributes: Attributes;
  /** `error.type`, where it failed and no error of a handler is known. */
  readonly failure: string | undefined;
}

/** A request that a server of this process answers. */
export interface ServerRequest {
  /** The span of the request. It may be one that is not recorded. */
  readonly span: Span;
  /** The path that was asked for, as it was sent. */
  readonly path: string;
  /** The route that was set last; undefined where there is none. */
  readonly route: string | undefined;
  /**
   * Names the span `METHOD route` and sets `http.route`: the whole mounted path as the router was
   * given it, such as `/users/:id`. The last call holds, for the metrics as well; an empty route is
   * none. `handler` is the function that answers, whose name becomes `code.function.name`. The span
   * gets both when it ends.
   */
  setRoute(route: string, handler?: Handler): void;
  /** Shows `route` in place of the one that was set, also where that is set once more. */
  refineRoute(route: string): void;
  /**
   * Shows what a protocol above HTTP makes of the request, in place of a route; `handler` as with
   * `setRoute`.
   */
  setProtocol(protocol: ProtocolAbove, handler?: Handler): void;
  /**
   * Records `error` as an exception event with its stack, once per error. Where the response then
   * has a status of 500 or more, or is aborted, `error.type` is the type of the error.
   */
  recordError(error: unknown): void;
  /** Starts the span of a handler that is about to be called; undefined where it is to have none. */
  startHandler(call: HandlerCall): HandlerSpan | undefined;
}

/**
 * Returns the request that `message` belongs to: an `IncomingMessage`, a `ServerResponse`, a stream
 * of an HTTP/2 server, an `Http2ServerRequest` or an `Http2ServerResponse`. Undefined for a request
 * that is not recorded, and for anything else. Never throws.
 */
export function serverRequestOf(message: object): ServerRequest | undefined {
  try {
    return asServerRequest(Served.requestOf(message) ?? requestOfStream(message));
  } catch {
    // A proxy that refuses.
    return undefined;
  }
}

/** Returns the request that `from`, the active context by default, belongs to. */
export function activeServerRequest(from: Context = context.active()): ServerRequest | undefined {
  return asServerRequest(inFlightOf(from));
}

/**
 * Sets the route of a request. Call it from a router that clew does not know, once the route is
 * found, with the request or the response that the router was given. Returns whether the request
 * has a span.
 */
export function setHttpRoute(request: object, route: string, handler?: Handler): boolean {
  const isObject = typeof request === 'object' && request !== null;
  const found = isObject ? serverRequestOf(request) : undefined;
  if (found === undefined || typeof route !== 'string') return false;
  found.setRoute(route, typeof handler === 'function' ? handler : undefined);
  return true;
}

/** One that is recorded is a `ServerRecording`. */
function asServerRequest(request: InFlight | undefined): ServerRequest | undefined {
  return request?.isRecorded === true ? (request as InFlight & ServerRequest) : undefined;
}

/** The messages of HTTP/2's compatibility API have no more than their stream. */
function requestOfStream(message: object): InFlight | undefined {
  const { stream } = message as { stream?: unknown };
  return typeof stream === 'object' && stream !== null ? Served.requestOf(stream) : undefined;
}

/** A message or a stream with the request that it belongs to, which nobody else can see. */
export class Served extends PrivateFields {
  #request: InFlight | undefined;

  static mark(message: object, request: InFlight): void {
    if (#request in message) message.#request = request;
    else new Served(message).#request = request;
  }

  static requestOf(message: object): InFlight | undefined {
    return #request in message ? message.#request : undefined;
  }
}
