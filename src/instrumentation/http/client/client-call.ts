import {
  SpanStatusCode,
  trace,
  type Attributes,
  type Context,
  type Histogram,
  type Span,
} from '@opentelemetry/api';
import {
  ATTR_ERROR_TYPE,
  ATTR_HTTP_RESPONSE_STATUS_CODE,
  ATTR_NETWORK_PEER_ADDRESS,
  ATTR_NETWORK_PEER_PORT,
  ATTR_NETWORK_PROTOCOL_VERSION,
  ATTR_SERVER_PORT,
} from '@opentelemetry/semantic-conventions';

import { showRequestInSpan } from '../../../async/collecting.ts';
import { addExceptionEvent } from '../../recorder/exception-event.ts';
import { addHeaders, measuredAttributes } from './client-attributes.ts';
import type { ResolvedHttpClientConfig } from './client-config.ts';
import { describeFailure } from './failure.ts';
import { RPC_RESPONSE_STATUS_CODE } from '../grpc.ts';
import { guard } from '../guard.ts';
import type { IncomingResponse } from './outgoing-request.ts';
import { noteFailure, noteResponse } from './resends.ts';
import { forgetBody, watchBody } from './unread-bodies.ts';

/** Of this package: the body was not read to its end, and nobody waits for it any more. */
const ATTR_BODY_ABANDONED = 'clew.http.response.body_abandoned';

type HeaderReader = IncomingResponse['header'];

const NO_HEADER: HeaderReader = () => undefined;

/** What a call starts with. */
export interface CallParts {
  readonly config: ResolvedHttpClientConfig;
  readonly attributes: Attributes;
  readonly parent: Context;
  readonly span: Span | undefined;
  readonly duration: Histogram | undefined;
  readonly method: string;
  readonly url: string;
  readonly resends: number;
}

/**
 * A request that is being recorded: a span, a duration, or both. It ends once: when the body of the
 * response was read or closed, when the request failed, or when nobody reads the body.
 */
export class ClientCall {
  readonly #parts: CallParts;
  readonly #startedAt = performance.now();
  #header: HeaderReader = NO_HEADER;
  #status: number | undefined;
  #lastActivity = 0;
  #ended = false;

  constructor(parts: CallParts) {
    this.#parts = parts;
  }

  get isEnded(): boolean {
    return this.#ended;
  }

  /** When the response began or its body last went on, in milliseconds of `performance.now()`. */
  get lastActivity(): number {
    return this.#lastActivity;
  }

  /** The caller's context with the span in it, which is what the trace headers tell of. */
  get context(): Context {
    const { span, parent } = this.#parts;
    return span ? trace.setSpan(parent, span) : parent;
  }

  /** Says that the span shows the async resource that Node makes for this request. */
  shows(request: object): void {
    if (this.#parts.span?.isRecording()) showRequestInSpan(request, this.#parts.span);
  }

  /** The other end of the connection, which is the server or a proxy. */
  connectedTo(address: string | undefined, port: number | undefined): void {
    if (this.#ended || address === undefined || port === undefined) return;
    const attributes: Attributes = {
      [ATTR_NETWORK_PEER_ADDRESS]: address,
      [ATTR_NETWORK_PEER_PORT]: port,
    };
    if (this.#parts.attributes[ATTR_SERVER_PORT] === undefined) attributes[ATTR_SERVER_PORT] = port;
    this.#add(attributes);
  }

  /**
   * The headers of the response are there. `isUnread` says later whether nobody has begun to read its
   * body; without it, a body that does not go on counts as unread.
   */
  responded(
    status: number,
    version: string | undefined,
    header: HeaderReader,
    isUnread?: () => boolean,
  ): void {
    if (this.#ended) return;
    this.#status = status;
    this.#header = header;
    this.#lastActivity = performance.now();
    const attributes: Attributes = { [ATTR_HTTP_RESPONSE_STATUS_CODE]: status };
    if (version !== undefined) attributes[ATTR_NETWORK_PROTOCOL_VERSION] = version;
    if (status >= 400) attributes[ATTR_ERROR_TYPE] = String(status);
    const { config, parent, method, url, resends, span } = this.#parts;
    addHeaders(attributes, config.responseHeaders, header);
    this.#add(attributes);
    if (status >= 400) span?.setStatus({ code: SpanStatusCode.ERROR });
    if (status >= 300) {
      const location = (): string | undefined => header('location') as string | undefined;
      noteResponse(parent, { method, url, count: resends }, status, location);
    }
    watchBody(this, isUnread);
  }

  /** The status of a call of gRPC is there, which is undefined where the response is of HTTP alone. */
  answered(status: string | undefined): void {
    if (this.#ended || status === undefined) return;
    const attributes: Attributes = { [RPC_RESPONSE_STATUS_CODE]: status };
    if (status !== 'OK') {
      attributes[ATTR_ERROR_TYPE] = status;
      this.#parts.span?.setStatus({ code: SpanStatusCode.ERROR });
    }
    this.#add(attributes);
  }

  /** A piece of the body came. */
  progressed(): void {
    this.#lastActivity = performance.now();
  }

  /** Ends the call; `error` says that the request or its response failed. */
  end(error?: unknown): void {
    if (this.#ended) return;
    this.#ended = true;
    forgetBody(this);
    guard('end a span', () => this.#end(error));
  }

  /** Ends the call as of when its body last went on, as nobody reads the rest. */
  abandon(): void {
    if (this.#ended) return;
    this.#ended = true;
    forgetBody(this);
    guard('end a span', () => {
      this.#add({ [ATTR_BODY_ABANDONED]: true });
      this.#finish(undefined, this.#lastActivity);
    });
  }

  /** Leaves the request to another tool that records it as well. */
  discard(): void {
    this.#ended = true;
    forgetBody(this);
  }

  #end(error: unknown): void {
    if (error !== undefined && error !== null) {
      const { type, message } = describeFailure(error);
      const { span, parent, method, url, resends } = this.#parts;
      // A status that is an error says more than how the connection ended after it.
      if (this.#status === undefined || this.#status < 400) this.#add({ [ATTR_ERROR_TYPE]: type });
      if (span?.isRecording()) {
        addExceptionEvent(span, error, message);
        span.setStatus(
          message === undefined
            ? { code: SpanStatusCode.ERROR }
            : { code: SpanStatusCode.ERROR, message },
        );
      }
      if (this.#status === undefined) noteFailure(parent, method, url, resends);
    }
    this.#finish(error);
  }

  #finish(error: unknown, endedAt?: number): void {
    const { config, span, duration, attributes } = this.#parts;
    const { responseHook } = config;
    if (responseHook && span?.isRecording()) {
      const response = { status: this.#status, error, header: this.#header };
      guard('call responseHook', () => responseHook(span, response));
    }
    const now = performance.now();
    if (endedAt === undefined) span?.end();
    else span?.end(Date.now() - (now - endedAt));
    if (duration !== undefined) {
      const seconds = ((endedAt ?? now) - this.#startedAt) / 1000;
      duration.record(seconds, measuredAttributes(attributes), this.context);
    }
    // What holds this call may live longer than the response.
    this.#header = NO_HEADER;
  }

  #add(attributes: Attributes): void {
    Object.assign(this.#parts.attributes, attributes);
    this.#parts.span?.setAttributes(attributes);
  }
}
