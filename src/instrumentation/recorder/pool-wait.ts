import { context, SpanStatusCode, type Context, type Span } from '@opentelemetry/api';
import { ATTR_ERROR_TYPE } from '@opentelemetry/semantic-conventions';

import { isCollecting } from '../../async/collecting.ts';
import { messageOf } from '../../base/errors.ts';
import { sayOnce } from '../../base/log.ts';
import { OperationResource } from '../../carry/operation-resource.ts';
import type { Endpoint } from './endpoint.ts';
import { addExceptionEvent } from './exception-event.ts';
import { poolNameOf } from './pool-metrics.ts';
import type { Recorder } from './recorder.ts';
import type { OperationRecording } from './operation-recording.ts';

const MANUAL_DESTROY = { requireManualDestroy: true };

/** The query that waits, if it is a query. */
interface Waiting {
  readonly recording: OperationRecording | undefined;
}

/**
 * A call that waits for a connection of a pool. Its span is made when the wait is over: a pool may
 * learn where it connects to from its first connection, and the span has one name.
 */
export class PoolWait {
  readonly #recorder: Recorder;
  readonly #pool: object;
  readonly #endpoint: () => Endpoint;
  readonly #waiting: Waiting | undefined;
  /** Where the span belongs; undefined where there is none. */
  readonly #parent: Context | undefined;
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
    const active = recorder.config.acquireSpans ? context.active() : undefined;
    const parent = active && recorder.hasAcquireSpans(active) ? active : undefined;
    const isSeen = waiting !== undefined || parent !== undefined || recorder.pools.isListening;
    const isShown = isCollecting();
    if (!isSeen && !isShown) return undefined;
    const resource = isShown ? new OperationResource('POOL_WAIT', MANUAL_DESTROY) : undefined;
    return new PoolWait(recorder, pool, () => endpointOf(pool), waiting, parent, resource);
  }

  private constructor(
    recorder: Recorder,
    pool: object,
    endpoint: () => Endpoint,
    waiting: Waiting | undefined,
    parent: Context | undefined,
    resource: OperationResource | undefined,
  ) {
    this.#recorder = recorder;
    this.#pool = pool;
    this.#endpoint = endpoint;
    this.#waiting = waiting;
    this.#parent = parent;
    this.#resource = resource;
  }

  /** The connection is there. */
  end(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#endResource();
    const milliseconds = performance.now() - this.#startedAt;
    this.#waiting?.recording?.waited(milliseconds);
    this.#makeSpan(milliseconds)?.end();
    this.#recorder.pools.waited(this.#pool, milliseconds);
  }

  /** There is none, and whoever waited is told. Only the first call counts. */
  fail(error: unknown, isTimeout: boolean): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#endResource();
    const span = this.#makeSpan(performance.now() - this.#startedAt);
    if (span) {
      const { type } = this.#recorder.responses.describeError(error);
      addExceptionEvent(span, error);
      span.setAttribute(ATTR_ERROR_TYPE, type).setStatus({ code: SpanStatusCode.ERROR });
      span.end();
    }
    if (isTimeout) this.#recorder.pools.timedOut(this.#pool);
  }

  /** The span of the wait that is over now, in the context in which it began. Never throws. */
  #makeSpan(milliseconds: number): Span | undefined {
    if (this.#parent === undefined) return undefined;
    try {
      const name = poolNameOf(this.#endpoint());
      return this.#recorder.startAcquireSpan(name, this.#parent, milliseconds);
    } catch (error) {
      // A sampler or a processor that throws must not reach whoever waits for the connection.
      sayOnce('error', `acquire:${messageOf(error)}`, `cannot record: ${messageOf(error)}`);
      return undefined;
    }
  }

  /** By a callback, as not every level sees what is destroyed. */
  #endResource(): void {
    this.#resource?.run(() => undefined, undefined);
    this.#resource?.end();
  }
}
