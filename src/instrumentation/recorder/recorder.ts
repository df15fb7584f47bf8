import { context, SpanKind, trace, type Context, type Span, type Tracer } from '@opentelemetry/api';

import { isCollecting } from '../../async/collecting.ts';
import { messageOf } from '../../base/errors.ts';
import { sayOnce } from '../../base/log.ts';
import type { ResolvedConfig } from '../client-config.ts';
import type { Operation, Responses } from '../operation.ts';
import { attributesOf, spanNameOf } from './attributes.ts';
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
    return (
      this.providers.duration !== undefined || this.#tracerUnder(context.active()) !== undefined
    );
  }

  /**
   * Starts recording `operation` under `parent`, or returns `undefined` where it is not to be
   * recorded.
   */
  start(operation: Operation, parent: Context = context.active()): Recording | undefined {
    const tracer = this.#tracerUnder(parent);
    const { duration } = this.providers;
    if (tracer === undefined && duration === undefined) return undefined;
    try {
      if (isSuppressed(parent)) return undefined;
      if (this.#isIgnored(operation, parent)) return undefined;
      const { config } = this;
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

  /** A span for the wait for a pooled connection, where the configuration asks for them. */
  startAcquireSpan(name: string): Span | undefined {
    if (!this.config.acquireSpans || isSuppressed(context.active())) return undefined;
    return this.providers.tracer?.startSpan(`acquire ${name}`, { kind: SpanKind.INTERNAL });
  }

  /**
   * The tracer, unless it is known to drop a span under `parent`, and unless the span is wanted for
   * more than being recorded: for its id in a comment, for its text in an async resource's record.
   */
  #tracerUnder(parent: Context): Tracer | undefined {
    const { tracer, dropped } = this.providers;
    if (tracer === undefined || dropped === 'nothing' || !isDropped(dropped, parent)) return tracer;
    return this.config.sqlCommenter || isCollecting() ? tracer : undefined;
  }

  #isIgnored(operation: Operation, parent: Context): boolean {
    const { requireParent, ignore } = this.config;
    if (requireParent && trace.getSpanContext(parent) === undefined) return true;
    return ignore?.(operation) === true;
  }
}
