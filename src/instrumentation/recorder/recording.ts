import {
  SpanStatusCode,
  trace,
  type Attributes,
  type Context,
  type Histogram,
  type HrTime,
  type Span,
} from '@opentelemetry/api';
import { ATTR_DB_RESPONSE_STATUS_CODE, ATTR_ERROR_TYPE } from '@opentelemetry/semantic-conventions';

import { messageOf } from '../../base/errors.ts';
import { sayOnce } from '../../base/log.ts';
import type { ResolvedConfig } from '../client-config.ts';
import type { Failure, Operation } from '../operation.ts';
import { measuredAttributes } from './attributes.ts';

/** One operation being recorded: a span, a duration, or both. Ends once. */
export class Recording {
  readonly #config: ResolvedConfig;
  readonly #span: Span | undefined;
  readonly #duration: Histogram | undefined;
  readonly #attributes: Attributes;
  readonly #parent: Context;
  readonly #startedAt: number;
  #ended = false;

  constructor(
    config: ResolvedConfig,
    span: Span | undefined,
    duration: Histogram | undefined,
    attributes: Attributes,
    parent: Context,
  ) {
    this.#config = config;
    this.#span = span;
    this.#duration = duration;
    this.#attributes = attributes;
    this.#parent = parent;
    this.#startedAt = duration === undefined ? 0 : performance.now();
  }

  /** Tells the application that the span is there. @internal */
  started(operation: Operation): void {
    const { requestHook } = this.#config;
    const span = this.#span;
    if (requestHook && span?.isRecording()) guard(() => requestHook(span, operation));
  }

  /** Adds what became known after the start. */
  add(attributes: Attributes): void {
    Object.assign(this.#attributes, attributes);
    this.#span?.setAttributes(attributes);
  }

  /** Renames the span, for an operation whose text became known after its start. */
  rename(name: string): void {
    this.#span?.updateName(name);
  }

  /** Ends the span and measures the duration. `describe` is called only when there was an error. */
  end(error?: unknown, result?: unknown, describe: (error: unknown) => Failure = byClass): void {
    if (this.#ended) return;
    this.#ended = true;
    const span = this.#span;
    const { responseHook } = this.#config;
    if (error !== undefined && error !== null) this.#fail(describe(error));
    if (responseHook && span?.isRecording()) guard(() => responseHook(span, { error, result }));
    span?.end();
    this.#measure();
  }

  #fail({ type, statusCode, message }: Failure): void {
    const attributes: Attributes = { [ATTR_ERROR_TYPE]: type };
    if (statusCode !== undefined) attributes[ATTR_DB_RESPONSE_STATUS_CODE] = statusCode;
    this.add(attributes);
    this.#span?.setStatus(
      message === undefined
        ? { code: SpanStatusCode.ERROR }
        : { code: SpanStatusCode.ERROR, message },
    );
  }

  #measure(): void {
    if (this.#duration === undefined) return;
    const hrTime = (this.#span as { duration?: HrTime } | undefined)?.duration;
    const seconds = hrTime
      ? hrTime[0] + hrTime[1] / 1e9
      : (performance.now() - this.#startedAt) / 1000;
    // The span goes along, so that an exemplar can point at it.
    const context = this.#span ? trace.setSpan(this.#parent, this.#span) : this.#parent;
    this.#duration.record(seconds, measuredAttributes(this.#attributes), context);
  }
}

function guard(hook: () => void): void {
  try {
    hook();
  } catch (error) {
    sayOnce('error', `hook:${messageOf(error)}`, `a hook of yours threw: ${messageOf(error)}`);
  }
}

/** For errors no client knows more about: the name of their class. */
export function byClass(error: unknown): Failure {
  const name = error instanceof Error ? error.constructor.name || error.name : typeof error;
  return { type: name || '_OTHER' };
}
