import { createContextKey, type Context, type Span } from '@opentelemetry/api';

/** The keys of `trace.setSpan` and of `setRPCMetadata`: context keys are registered symbols. */
const SPAN = createContextKey('OpenTelemetry Context Key SPAN');
const RPC_METADATA = createContextKey('OpenTelemetry SDK Context Key RPC_METADATA');
const IN_FLIGHT = createContextKey('clew.http.in-flight');

/**
 * One request or stream that a server works on, recorded or not: what its events have to know.
 */
export class InFlight {
  /** The context its handler was called in. Undefined where none was made for it. */
  context: Context | undefined;
  /** The next request on the same connection, while both wait for their responses to be sent. */
  following: InFlight | undefined;
  /** Its span, which may be one that is not recorded. */
  readonly span: Span | undefined;
  /** Whether it is recorded, as a span or as a duration. */
  readonly isRecorded: boolean;

  constructor(span?: Span, isRecorded = false) {
    this.span = span;
    this.isRecorded = isRecorded;
    this.context = undefined;
    this.following = undefined;
  }

  /** To be called when no more will be sent: `isSent` says whether all was. */
  end(_isSent: boolean, _message: object | undefined): void {
    this.following = undefined;
  }
}

/**
 * The context of a request: the one that came with it, its span, and the request itself.
 *
 * A context of its own class, because each value that is set on one of the API's copies a map. It
 * also has the request where the official instrumentations of frameworks look for the metadata of
 * the call, so that their routes name our span.
 */
export class RequestContext implements Context {
  readonly #parent: Context;
  readonly #request: InFlight;
  #copy: Context | undefined;

  constructor(parent: Context, request: InFlight) {
    this.#parent = parent;
    this.#request = request;
  }

  getValue(key: symbol): unknown {
    const request = this.#request;
    if (key === IN_FLIGHT) return request;
    if (key === SPAN && request.span !== undefined) return request.span;
    if (key === RPC_METADATA && request.isRecorded) return request;
    return this.#parent.getValue(key);
  }

  setValue(key: symbol, value: unknown): Context {
    return this.#copied().setValue(key, value);
  }

  deleteValue(key: symbol): Context {
    return this.#copied().deleteValue(key);
  }

  /** The same as a context of the API, made when the first one is derived from this. */
  #copied(): Context {
    if (this.#copy !== undefined) return this.#copy;
    const request = this.#request;
    let copy = this.#parent.setValue(IN_FLIGHT, request);
    if (request.span !== undefined) copy = copy.setValue(SPAN, request.span);
    if (request.isRecorded) copy = copy.setValue(RPC_METADATA, request);
    this.#copy = copy;
    return copy;
  }
}

/** Records an error of the work on a request, if the request is recorded. */
export function recordError(request: InFlight, error: unknown): void {
  (request as { recordError?(error: unknown): void }).recordError?.(error);
}

/** The request that `context` belongs to. */
export function inFlightOf(context: Context): InFlight | undefined {
  return context.getValue(IN_FLIGHT) as InFlight | undefined;
}
