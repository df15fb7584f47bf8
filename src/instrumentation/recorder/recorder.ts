import { context, SpanKind, type Context, type Span, type Tracer } from '@opentelemetry/api';

import { isCollecting } from '../../async/collecting.ts';
import { messageOf } from '../../base/errors.ts';
import { sayOnce } from '../../base/log.ts';
import type { ResolvedConfig } from '../client-config.ts';
import type { Operation, Responses } from '../operation.ts';
import { attributesOf, spanNameOf } from './attributes.ts';
import { hasParent } from './parent.ts';
import { PoolMetrics } from './pool-metrics.ts';
import { Providers } from './providers.ts';
import { Recording } from './recording.ts';
import { isDropped } from './sampling.ts';
import { isSuppressed } from './suppression.ts';

/** Makes spans and measurements from the operations of one client. */
export class Recorder {
  readonly providers: Providers;
  readonly pools: PoolMetrics;
  readonly responses: Responses;
  /** May be replaced at any time; operations under way keep the one they started with. */
  config: ResolvedConfig;

  constructor(scope: string, version: string, config: ResolvedConfig, responses: Responses) {
    this.providers = new Providers(scope, version);
    this.pools = new PoolMetrics(this.providers);
    this.config = config;
    this.responses = responses;
  }

  /**
   * Whether anybody would see what is recorded in the context that is active now. Ask there, before
   * describing an operation.
   */
  get isListening(): boolean {
    return this.#isRecorded(this.#tracerUnder(context.active()));
  }

  /**
   * Starts recording `operation` under `parent`, or returns `undefined` where it is not to be
   * recorded.
   */
  start(operation: Operation, parent: Context = context.active()): Recording | undefined {
    const tracer = this.#tracerUnder(parent);
    if (!this.#isRecorded(tracer)) return undefined;
    const { duration } = this.providers;
    try {
      const { config } = this;
      if (isSuppressed(parent) || config.ignore?.(operation) === true) return undefined;
      const attributes = attributesOf(operation, config);
      const proposed = spanNameOf(operation, attributes);
      const name = config.spanName?.(operation, proposed) ?? proposed;
      const { kind = SpanKind.CLIENT, askedAt } = operation;
      const span = tracer?.startSpan(
        name,
        askedAt === undefined
          ? { kind, attributes }
          : { kind, attributes, startTime: Date.now() - (performance.now() - askedAt) },
        parent,
      );
      const recording = new Recording(this, operation, attributes, parent, span, duration);
      recording.started();
      return recording;
    } catch (error) {
      // A sampler, processor or hook that throws must not reach the caller of a query.
      sayOnce('error', `record:${messageOf(error)}`, `cannot record: ${messageOf(error)}`);
      return undefined;
    }
  }

  /** Whether the wait for a pooled connection gets a span where one begins to wait in `parent`. */
  hasAcquireSpans(parent: Context): boolean {
    const { acquireSpans, requireParent } = this.config;
    if (!acquireSpans || this.providers.tracer === undefined || isSuppressed(parent)) return false;
    return !requireParent || hasParent(parent);
  }

  /** Starts the span for a wait that began `milliseconds` ago in `parent`. */
  startAcquireSpan(name: string, parent: Context, milliseconds: number): Span | undefined {
    return this.providers.tracer?.startSpan(
      `acquire ${name}`,
      { kind: SpanKind.INTERNAL, startTime: Date.now() - milliseconds },
      parent,
    );
  }

  /**
   * Whether an operation whose span `tracer` would make is recorded. Without a span it may be
   * measured, or be described in an async resource's record.
   */
  #isRecorded(tracer: Tracer | undefined): boolean {
    const { tracer: any, duration } = this.providers;
    return tracer !== undefined || duration !== undefined || (any !== undefined && isCollecting());
  }

  /**
   * The tracer, unless a span under `parent` needs a parent and has none, or is known to be dropped
   * and not wanted for more than being recorded: for its id in a comment, for its text in an async
   * resource's record.
   */
  #tracerUnder(parent: Context): Tracer | undefined {
    const { tracer, dropped } = this.providers;
    if (tracer === undefined) return undefined;
    if (this.config.requireParent && !hasParent(parent)) return undefined;
    if (dropped === 'nothing' || !isDropped(dropped, parent)) return tracer;
    return this.config.sqlCommenter || isCollecting() ? tracer : undefined;
  }
}
