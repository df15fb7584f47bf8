import { SpanStatusCode, type Attributes, type Context, type Span } from '@opentelemetry/api';

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
import type { ResolvedServerConfig } from './server-config.ts';
import type { Handler, ServerRequest } from './server-request.ts';
import { InFlight } from './request-context.ts';
import type { Measurement } from './server-metrics.ts';

/** What is known of a response at its end. */
export interface ResponseEnd {
  /** Undefined where no response was begun. */
  readonly status: number | undefined;
  /** The size of the body in bytes, where it is known. */
  readonly size: number | undefined;
  /** Why the response is not complete: a value of `error.type`. */
  readonly failure: string | undefined;
  /** The value of a header of the response. */
  header(name: string): unknown;
  /** The response, for hooks. */
  readonly response?: object;
}

/** How the end of a message is read. */
export type ReadEnd<Message extends object> = (message: Message, isSent: boolean) => ResponseEnd;

/** A request that is recorded: as a span, and as a duration where there is a meter. Ends once. */
export class ServerRecording extends InFlight implements ServerRequest {
  /** With it, and `route`, the official instrumentations of frameworks take this for theirs. */
  readonly type = 'http';
  declare readonly span: Span;
  readonly #methodName: string;
  readonly #config: ResolvedServerConfig;
  readonly #readEnd: ReadEnd<object>;
  readonly #measurement: Measurement | undefined;
  #route: string | undefined;
  #handler: Handler | undefined;
  #error: unknown;
  #errors: WeakSet<object> | undefined;
  #hasEnded = false;

  constructor(
    span: Span,
    methodName: string,
    config: ResolvedServerConfig,
    readEnd: ReadEnd<object>,
    measurement: Measurement | undefined,
  ) {
    super(span, true);
    this.#methodName = methodName;
    this.#config = config;
    this.#readEnd = readEnd;
    this.#measurement = measurement;
  }

  get route(): string | undefined {
    return this.#route;
  }

  set route(route: string) {
    this.setRoute(route);
  }

  setRoute(route: string, handler?: Handler): void {
    if (this.#hasEnded) return;
    this.#route = route === '' ? undefined : route;
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

  override end(isSent: boolean, message: object | undefined): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    try {
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
  }

  #end(end: ResponseEnd): void {
    const { span } = this;
    const { status, failure, response } = end;
    const isFailed = failure !== undefined || (status !== undefined && status >= 500);
    const errorType = isFailed ? this.#errorType(end) : undefined;
    if (span.isRecording()) {
      this.#showRoute(span);
      if (status !== undefined) span.setAttribute(HTTP_RESPONSE_STATUS_CODE, status);
      if (end.size !== undefined) span.setAttribute(HTTP_RESPONSE_BODY_SIZE, end.size);
      if (errorType !== undefined) {
        span.setAttribute(ERROR_TYPE, errorType);
        span.setStatus(statusOf(failure));
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
    if (this.#route !== undefined) {
      span.updateName(`${this.#methodName} ${this.#route}`);
      span.setAttribute(HTTP_ROUTE, this.#route);
    }
    if (this.#handler === undefined || !this.#config.handlerNames) return;
    const name = nameOf(this.#handler);
    if (name !== '') span.setAttribute(CODE_FUNCTION_NAME, name);
  }

  #errorType({ status, failure }: ResponseEnd): string {
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

/** `error.type` of a response that the client did not wait for. */
export const ABORTED_BY_CLIENT = 'aborted';
/** `error.type` of a response that was given up on this side. */
export const DESTROYED = 'destroyed';

const NOT_ANSWERED: ResponseEnd = {
  status: undefined,
  size: undefined,
  failure: ABORTED_BY_CLIENT,
  header: () => undefined,
};

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

function nameOf(handler: Handler): string {
  try {
    const { name } = handler;
    return typeof name === 'string' ? name.replace(/^bound /, '') : '';
  } catch {
    return '';
  }
}
