import { SpanStatusCode, type Span } from '@opentelemetry/api';
import { ATTR_ERROR_TYPE } from '@opentelemetry/semantic-conventions';

import type { Endpoint } from './endpoint.ts';
import { poolNameOf } from './pool-metrics.ts';
import type { Recorder } from './recorder.ts';
import type { Recording } from './recording.ts';

/** How long a query waited for a connection of its pool. */
const ATTR_POOL_WAIT = 'clew.pool.wait.ms';

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
  readonly #startedAt: number = performance.now();

  /** Starts measuring, if anybody would see it; a `waiting` query keeps its wait as an attribute. */
  static start(
    recorder: Recorder,
    pool: object,
    endpoint: Endpoint,
    waiting: Waiting | undefined,
  ): PoolWait | undefined {
    const isSeen =
      (waiting !== undefined && recorder.providers.tracer !== undefined) ||
      recorder.pools.isListening ||
      recorder.config.acquireSpans;
    return isSeen ? new PoolWait(recorder, pool, endpoint, waiting) : undefined;
  }

  private constructor(
    recorder: Recorder,
    pool: object,
    endpoint: Endpoint,
    waiting: Waiting | undefined,
  ) {
    this.#recorder = recorder;
    this.#pool = pool;
    this.#waiting = waiting;
    this.#span = recorder.startAcquireSpan(poolNameOf(endpoint));
  }

  /** The connection is there. */
  end(): void {
    const milliseconds = performance.now() - this.#startedAt;
    this.#waiting?.recording?.add({ [ATTR_POOL_WAIT]: milliseconds });
    this.#span?.end();
    this.#recorder.pools.waited(this.#pool, milliseconds);
  }

  /** There is none, and whoever waited is told. */
  fail(error: unknown, isTimeout: boolean): void {
    const { type } = this.#recorder.responses.describeError(error);
    this.#span?.setAttribute(ATTR_ERROR_TYPE, type).setStatus({ code: SpanStatusCode.ERROR });
    this.#span?.end();
    if (isTimeout) this.#recorder.pools.timedOut(this.#pool);
  }
}
