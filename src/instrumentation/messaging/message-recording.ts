import {
  context,
  SpanStatusCode,
  trace,
  type Attributes,
  type Context,
  type Span,
} from '@opentelemetry/api';
import { ATTR_ERROR_TYPE } from '@opentelemetry/semantic-conventions';
import { ATTR_MESSAGING_MESSAGE_ID } from '@opentelemetry/semantic-conventions/incubating';

import { addExceptionEvent, messageShownOf, typeOf } from '../recorder/exception-event.ts';
import { measuredAttributes } from './attributes.ts';
import { carrierOf } from './carrier.ts';
import { guard } from './guard.ts';
import type { MessageOperation } from './message-operation.ts';
import type { ResolvedMessagingConfig } from './messaging-config.ts';
import type { MessagingMetrics } from './messaging-metrics.ts';

/** What a recording is made of. */
interface Parts {
  readonly config: ResolvedMessagingConfig;
  readonly operation: MessageOperation;
  readonly attributes: Attributes;
  readonly parent: Context;
  /** Undefined where the span would be dropped: the parent then stands in for it. */
  readonly span: Span | undefined;
  readonly metrics: MessagingMetrics | undefined;
}

/** One operation with messages being recorded: a span, a measurement, or both. Ends once. */
export class MessageRecording {
  /** The context of the operation: what its message carries, and where its handler runs. */
  readonly context: Context;
  readonly #parts: Parts;
  readonly #startedAt: number;
  #hasEnded = false;

  constructor(parts: Parts) {
    const { span, parent, metrics } = parts;
    this.#parts = parts;
    this.context = span ? trace.setSpan(parent, span) : parent;
    this.#startedAt = metrics ? (parts.operation.askedAt ?? performance.now()) : 0;
  }

  /** Tells the application that the span is there. @internal */
  started(): void {
    const { span, operation, config } = this.#parts;
    const { requestHook } = config;
    if (requestHook && span?.isRecording()) {
      guard('call your requestHook', () => requestHook(span, operation));
    }
  }

  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  /**
   * The fields for the message, to be put into a copy of what it has; `undefined` where messages are to
   * carry none.
   */
  carrier(): Record<string, string> | undefined {
    if (!this.#parts.config.propagate) return undefined;
    const carrier = carrierOf(this.context);
    // Without a propagator there is nothing, and not even an empty list of headers.
    return Object.keys(carrier).length > 0 ? carrier : undefined;
  }

  /** Calls `fn` with the operation's span active and returns what it returns. */
  run<This, Args extends unknown[], Result>(
    fn: (this: This, ...args: Args) => Result,
    thisArg: This,
    ...args: Args
  ): Result {
    // Not by the method's own arguments: to some context managers `undefined` is `null`.
    return context.with(this.context, () => fn.apply(thisArg, args));
  }

  /** Adds the id that a message got from the broker. */
  identify(messageId: unknown): void {
    if (typeof messageId === 'string' && messageId !== '') {
      this.add({ [ATTR_MESSAGING_MESSAGE_ID]: messageId });
    }
  }

  /** Adds what became known after the start. */
  add(attributes: Attributes): void {
    if (this.#hasEnded) return;
    Object.assign(this.#parts.attributes, attributes);
    this.#parts.span?.setAttributes(attributes);
  }

  /** Ends the span, as failed if there is an `error`, and measures. Only the first call counts. */
  end(error?: unknown, result?: unknown): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    // A processor or an instrument that throws must not reach whoever waits for the result.
    guard('end a span', () => this.#end(error, result));
  }

  #end(error: unknown, result: unknown): void {
    const { span, config } = this.#parts;
    const { responseHook } = config;
    if (error !== undefined && error !== null) this.#fail(error);
    if (responseHook && span?.isRecording()) {
      guard('call your responseHook', () => responseHook(span, { error, result }));
    }
    span?.end();
    this.#measure();
  }

  #fail(error: unknown): void {
    const { span, attributes, operation } = this.#parts;
    const type = errorTypeOf(error);
    attributes[ATTR_ERROR_TYPE] = type;
    if (!span?.isRecording()) return;
    span.setAttribute(ATTR_ERROR_TYPE, type);
    // A handler's error is the application's own; what a library says of a message may quote it.
    const message = operation.type === 'process' ? messageShownOf(error) : undefined;
    addExceptionEvent(span, error, message);
    const code = SpanStatusCode.ERROR;
    span.setStatus(message ? { code, message } : { code });
  }

  #measure(): void {
    const { metrics, operation, attributes } = this.#parts;
    if (metrics === undefined) return;
    const measured = measuredAttributes(attributes, operation);
    const seconds = (performance.now() - this.#startedAt) / 1000;
    metrics.record(operation, measured, seconds, this.context);
  }
}

/** A code such as `ECONNREFUSED`, else the class. */
function errorTypeOf(error: unknown): string {
  const code =
    typeof error === 'object' && error !== null
      ? (Object.getOwnPropertyDescriptor(error, 'code')?.value as unknown)
      : undefined;
  return typeof code === 'string' && /^[A-Z][A-Z0-9_]{1,60}$/.test(code) ? code : typeOf(error);
}
