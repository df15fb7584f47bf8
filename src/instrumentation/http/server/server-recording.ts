import {
  SpanStatusCode,
  type Attributes,
  type Context,
  type Span,
  type Tracer,
} from '@opentelemetry/api';

import { noteName } from '../../../carry/request-names.ts';
import { messageOf } from '../../../base/errors.ts';
import { sayOnce } from '../../../base/log.ts';
import { addExceptionEvent, messageShownOf, typeOf } from '../../recorder/exception-event.ts';
import {
  CODE_FUNCTION_NAME,
  ERROR_TYPE,
  HTTP_RESPONSE_BODY_SIZE,
  HTTP_RESPONSE_STATUS_CODE,
  HTTP_ROUTE,
} from '../attributes.ts';
import { headerValues } from '../captured-headers.ts';
import { guard } from '../guard.ts';
import { pathOf } from '../path-patterns.ts';
import type { ResolvedServerConfig } from './server-config.ts';
import { ABORTED_BY_CLIENT, NOT_ANSWERED, type ReadEnd, type ResponseEnd } from './response-end.ts';
import { nameOf, type Handler } from './handler-name.ts';
import { HandlerSpan, type HandlerCall } from './handler-span.ts';
import type { ProtocolAbove, ServerRequest } from './server-request.ts';
import { InFlight } from './request-context.ts';
import type { Measurement } from './server-metrics.ts';

/** A request that is recorded: as a span, and as a duration where there is a meter. Ends once. */
export class ServerRecording extends InFlight implements ServerRequest {
  /** With it, and `route`, the official instrumentations of frameworks take this for theirs. */
  readonly type = 'http';
  declare readonly span: Span;
  readonly #methodName: string;
  readonly #url: string;
  readonly #config: ResolvedServerConfig;
  readonly #readEnd: ReadEnd<object>;
  readonly #measurement: Measurement | undefined;
  /** Where handlers are to have spans. */
  readonly #tracer: Tracer | undefined;
  /** Those that have not ended. */
  #handlers: Set<HandlerSpan> | undefined;
  #route: string | undefined;
  /** The one that `#route` is more exact than. */
  #refined: string | undefined;
  #protocol: ProtocolAbove | undefined;
  #handler: Handler | undefined;
  #error: unknown;
  #errors: WeakSet<object> | undefined;
  #hasEnded = false;

  constructor(
    span: Span,
    methodName: string,
    url: string,
    config: ResolvedServerConfig,
    readEnd: ReadEnd<object>,
    measurement: Measurement | undefined,
    tracer: Tracer | undefined,
  ) {
    super(span, true);
    this.#methodName = methodName;
    this.#url = url;
    this.#config = config;
    this.#readEnd = readEnd;
    this.#measurement = measurement;
    this.#tracer = config.handlerSpans && span.isRecording() ? tracer : undefined;
  }

  get route(): string | undefined {
    return this.#route;
  }

  set route(route: string) {
    this.setRoute(route);
  }

  get path(): string {
    return pathOf(this.#url);
  }

  setRoute(route: string, handler?: Handler): void {
    if (this.#hasEnded || (route !== '' && route === this.#refined)) return;
    this.#refined = undefined;
    this.#route = route === '' ? undefined : route;
    this.#handler = handler;
    noteName(this.span, this.#methodName, this.#route);
  }

  refineRoute(route: string): void {
    if (this.#hasEnded) return;
    this.#refined ??= this.#route;
    this.#route = route;
  }

  setProtocol(protocol: ProtocolAbove, handler?: Handler): void {
    if (this.#hasEnded) return;
    this.#protocol = protocol;
    this.#handler = handler;
  }

  recordError(error: unknown): void {
    if (this.#hasEnded || error === undefined || error === null) return;
    if (error === this.#error) return;
    if (typeof error === 'object') {
      if (this.#errors?.has(error) === true) return;
      this.#errors ??= new WeakSet();
      this.#errors.add(error);
    }
    this.#error = error;
    addExceptionEvent(this.span, error, messageShownOf(error));
  }

  startHandler(call: HandlerCall): HandlerSpan | undefined {
    const tracer = this.#tracer;
    if (tracer === undefined || this.#hasEnded) return undefined;
    this.#handlers ??= new Set();
    const open = this.#handlers;
    return guard('start the span of a handler', () =>
      HandlerSpan.start(tracer, this.span, call, this.#route, open),
    );
  }

  override end(isSent: boolean, message: object | undefined): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    try {
      for (const handler of this.#handlers ?? []) handler.end();
      const end = message === undefined ? NOT_ANSWERED : this.#readEnd(message, isSent);
      this.#end(end);
    } catch (error) {
      // A processor or an instrument that throws must not reach whoever answers the request.
      sayOnce('error', `http-end:${messageOf(error)}`, `cannot end a span: ${messageOf(error)}`);
    }
    super.end(isSent, message);
    this.#error = undefined;
    this.#errors = undefined;
    this.#handler = undefined;
    this.#protocol = undefined;
  }

  #end(end: ResponseEnd): void {
    const { span } = this;
    const { status, response } = end;
    const above = this.#protocol?.readEnd(end);
    const failure = above === undefined ? end.failure : above.failure;
    const isFailed = failure !== undefined || (status !== undefined && status >= 500);
    const errorType = isFailed ? this.#errorType(failure, status) : undefined;
    if (span.isRecording()) {
      this.#showRoute(span);
      if (above !== undefined) span.setAttributes(above.attributes);
      if (status !== undefined) span.setAttribute(HTTP_RESPONSE_STATUS_CODE, status);
      if (end.size !== undefined) span.setAttribute(HTTP_RESPONSE_BODY_SIZE, end.size);
      if (errorType !== undefined) {
        span.setAttribute(ERROR_TYPE, errorType);
        span.setStatus(statusOf(failure === end.failure ? failure : undefined));
      }
      this.#capture(span, end);
      const { responseHook } = this.#config;
      if (responseHook !== undefined && response !== undefined) {
        guard('call responseHook', () => responseHook(span, response as never));
      }
    }
    span.end();
    this.#measurement?.end(this.span, this.context as Context, status, this.#route, errorType);
  }

  /** At the end: nested routers set the route several times, and may leave it again. */
  #showRoute(span: Span): void {
    if (this.#protocol !== undefined) {
      span.updateName(this.#protocol.spanName);
      span.setAttributes(this.#protocol.attributes);
    } else if (this.#route !== undefined) {
      span.updateName(`${this.#methodName} ${this.#route}`);
      span.setAttribute(HTTP_ROUTE, this.#route);
    }
    if (this.#handler === undefined || !this.#config.handlerNames) return;
    const name = nameOf(this.#handler);
    if (name !== '') span.setAttribute(CODE_FUNCTION_NAME, name);
  }

  #errorType(failure: string | undefined, status: number | undefined): string {
    if (this.#error !== undefined) return typeOf(this.#error);
    return failure ?? String(status);
  }

  #capture(span: Span, end: ResponseEnd): void {
    const { responseHeaders } = this.#config;
    if (responseHeaders.length === 0) return;
    const attributes: Attributes = {};
    for (const { name, attribute } of responseHeaders) {
      const values = headerValues(end.header(name));
      if (values !== undefined) attributes[attribute] = values;
    }
    span.setAttributes(attributes);
  }
}

function statusOf(failure: string | undefined): { code: SpanStatusCode; message?: string } {
  const code = SpanStatusCode.ERROR;
  switch (failure) {
    case undefined:
      // The status code says it.
      return { code };
    case ABORTED_BY_CLIENT:
      return {
        code,
        message: 'The client closed the connection before the response was complete.',
      };
    default:
      return { code, message: 'The response was not completed.' };
  }
}
