import {
  context,
  SpanKind,
  type Context,
  type Link,
  type Span,
  type Tracer,
} from '@opentelemetry/api';

import { isCollecting } from '../../async/collecting.ts';
import { messageOf } from '../../base/errors.ts';
import { sayOnce } from '../../base/log.ts';
import type { ResolvedConfig } from '../client-config.ts';
import type { Operation, Responses } from '../operation.ts';
import { attributesOf, spanNameOf } from './attributes.ts';
import { hasParent } from './parent.ts';
import { PoolMetrics } from './pool-metrics.ts';
import { Providers } from './providers.ts';
import { OperationRecording } from './operation-recording.ts';
import { isDropped } from './sampling.ts';
import { isSuppressed } from '../../carry/suppression.ts';

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
   * Whether a wait for messages that begins in the active context may be recorded: where it has no
   * parent, it is once there are messages.
   */
  get isListeningToMessages(): boolean {
    const active = context.active();
    return this.providers.tracer !== undefined && !isSuppressed(active) && !hasParent(active);
  }

  /**
   * Starts recording `operation` under `parent`, or returns `undefined` where it is not to be
   * recorded.
   */
  start(operation: Operation, parent: Context = context.active()): OperationRecording | undefined {
    // A consumer that waits for ever would make a trace of each wait.
    const isWaiting = operation.messaging?.type === 'receive' && !hasParent(parent);
    const tracer = isWaiting ? undefined : this.#tracerUnder(parent, operation.isHousekeeping);
    if (!isWaiting && !this.#isRecorded(tracer)) return undefined;
    const { duration } = this.providers;
    try {
      const { config } = this;
      if (isSuppressed(parent) || config.ignore?.(operation) === true) return undefined;
      const attributes = attributesOf(operation, config);
      const proposed = spanNameOf(operation, attributes);
      const name = config.spanName?.(operation, proposed) ?? proposed;
      if (isWaiting) operation.askedAt ??= performance.now();
      const { kind = kindOf(operation), askedAt } = operation;
      const begin = (by: Tracer | undefined, links?: Link[]): Span | undefined =>
        by?.startSpan(
          name,
          {
            kind,
            attributes,
            ...(links && { links }),
            ...(askedAt !== undefined && {
              startTime: Date.now() - (performance.now() - askedAt),
            }),
          },
          parent,
        );
      const span = begin(tracer);
      const recording = new OperationRecording(this, operation, attributes, parent, span, duration);
      if (isWaiting) {
        // Messages that tell who sent them are no housekeeping of a library's.
        const isWanted = (links: Link[]): boolean =>
          links.length > 0 || this.#tracerUnder(parent, operation.isHousekeeping) !== undefined;
        recording.startLater = (links) =>
          isWanted(links) ? begin(this.providers.tracer, links) : undefined;
      }
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
    return requireParent !== true || hasParent(parent);
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
  #tracerUnder(parent: Context, isHousekeeping = false): Tracer | undefined {
    const { tracer, dropped } = this.providers;
    if (tracer === undefined) return undefined;
    const { requireParent } = this.config;
    const needsParent = requireParent === 'housekeeping' ? isHousekeeping : requireParent;
    if (needsParent && !hasParent(parent)) return undefined;
    if (dropped === 'nothing' || !isDropped(dropped, parent)) return tracer;
    return this.config.sqlCommenter || isCollecting() ? tracer : undefined;
  }
}

/** A message is sent by a PRODUCER, and asked for as anything else is. */
function kindOf({ messaging }: Operation): SpanKind {
  return messaging?.type === 'send' ? SpanKind.PRODUCER : SpanKind.CLIENT;
}
