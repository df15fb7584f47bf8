import { SpanStatusCode, type Span } from '@opentelemetry/api';
import { ATTR_ERROR_TYPE } from '@opentelemetry/semantic-conventions';

import { isCollecting } from '../../async/collecting.ts';
import { OperationResource } from '../operation-resource.ts';
import type { Endpoint } from './endpoint.ts';
import { addExceptionEvent } from './exception-event.ts';
import { poolNameOf } from './pool-metrics.ts';
import type { Recorder } from './recorder.ts';
import type { Recording } from './recording.ts';

const MANUAL_DESTROY = { requireManualDestroy: true };

/** The query that waits, if it is a query. */
interface Waiting {
  readonly recording: Recording | undefined;
}

/** Somebody waiting for a connection of a pool. */
export class PoolWait {
  readonly #recorder: Recorder;
  readonly #pool: object;
  readonly #waiting: Waiting | undefined;
  readonly #span: Span | undefined;
  /** Is there for the async-resource tracer alone, which sees it begin and end. */
  readonly #resource: OperationResource | undefined;
  readonly #startedAt: number = performance.now();
  #isOver = false;

  /**
   * Starts measuring, if anybody would see it. A `waiting` query that is recorded, now or soon,
   * keeps its wait as an attribute.
   */
  static start<Pool extends object>(
    recorder: Recorder,
    pool: Pool,
    endpointOf: (pool: Pool) => Endpoint,
    waiting: Waiting | undefined,
  ): PoolWait | undefined {
    const { acquireSpans } = recorder.config;
    const isSeen = waiting !== undefined || acquireSpans || recorder.pools.isListening;
    const isShown = isCollecting();
    if (!isSeen && !isShown) return undefined;
    const span = acquireSpans ? recorder.startAcquireSpan(poolNameOf(endpointOf(pool))) : undefined;
    const resource = isShown ? new OperationResource('POOL_WAIT', MANUAL_DESTROY) : undefined;
    return new PoolWait(recorder, pool, waiting, span, resource);
  }

  private constructor(
    recorder: Recorder,
    pool: object,
    waiting: Waiting | undefined,
    span: Span | undefined,
    resource: OperationResource | undefined,
  ) {
    this.#recorder = recorder;
    this.#pool = pool;
    this.#waiting = waiting;
    this.#span = span;
    this.#resource = resource;
  }

  /** The connection is there. */
  end(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#endResource();
    const milliseconds = performance.now() - this.#startedAt;
    this.#waiting?.recording?.waited(milliseconds);
    this.#span?.end();
    this.#recorder.pools.waited(this.#pool, milliseconds);
  }

  /** There is none, and whoever waited is told. Only the first call counts. */
  fail(error: unknown, isTimeout: boolean): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#endResource();
    const { type } = this.#recorder.responses.describeError(error);
    if (this.#span) addExceptionEvent(this.#span, error);
    this.#span?.setAttribute(ATTR_ERROR_TYPE, type).setStatus({ code: SpanStatusCode.ERROR });
    this.#span?.end();
    if (isTimeout) this.#recorder.pools.timedOut(this.#pool);
  }

  /** By a callback, as not every level sees what is destroyed. */
  #endResource(): void {
    this.#resource?.run(() => undefined, undefined);
    this.#resource?.end();
  }
}
