import { context, type Context, type Link } from '@opentelemetry/api';

import { Providers } from '../recorder/providers.ts';
import { isDropped } from '../recorder/sampling.ts';
import { isSuppressed } from '../../carry/suppression.ts';
import { attributesOf, SPAN_KINDS, spanNameOf } from './attributes.ts';
import { guard } from './guard.ts';
import type { MessageOperation } from './message-operation.ts';
import { MessageRecording } from './message-recording.ts';
import type { ResolvedMessagingConfig } from './messaging-config.ts';
import { MessagingMetrics } from './messaging-metrics.ts';
import { parentageOf, type Origin } from './parentage.ts';

/** Makes spans and measurements of what one library does with messages. */
export class MessagingRecorder {
  readonly providers: Providers;
  /** May be replaced at any time; operations under way keep the one they started with. */
  config: ResolvedMessagingConfig;
  #metrics: MessagingMetrics | undefined;

  constructor(scope: string, version: string, config: ResolvedMessagingConfig) {
    this.providers = new Providers(scope, version);
    this.config = config;
  }

  /** Whether anybody would see an operation that starts in the context that is active now. */
  get isListening(): boolean {
    const { tracer, meter } = this.providers;
    return (tracer !== undefined || meter !== undefined) && !isSuppressed(context.active());
  }

  /**
   * Starts an operation that the application asks for here and now: a send, a pull, an acknowledgement.
   * `links` are to the producers of the messages, where these are known. Undefined where there is
   * nothing to do but what the library does.
   */
  start(describe: () => MessageOperation, origin?: Origin): MessageRecording | undefined {
    if (!this.isListening) return undefined;
    return guard('record an operation', () => {
      const parent = context.active();
      const links = origin ? parentageOf(origin, 'link', parent).links : [];
      return this.#start(describe(), parent, links);
    });
  }

  /**
   * Starts the work of a handler with the messages of `origin`, where the handler is called. Undefined
   * where it is to be called as it is.
   */
  startProcess(describe: () => MessageOperation, origin: Origin): MessageRecording | undefined {
    if (!this.isListening) return undefined;
    return guard('record a handler', () => {
      const operation = describe();
      if (this.config.ignore?.(operation) === true) return undefined;
      const active = context.active();
      const { parent, links } = parentageOf(origin, this.config.consumerSpan, active);
      return this.#start(operation, parent, links);
    });
  }

  #start(operation: MessageOperation, parent: Context, links: Link[]): MessageRecording {
    const { config } = this;
    const { tracer, dropped } = this.providers;
    const isIgnored = operation.type !== 'process' && config.ignore?.(operation) === true;
    const isUnseen =
      tracer === undefined || isIgnored || (dropped !== 'nothing' && isDropped(dropped, parent));
    const metrics = isIgnored ? undefined : this.#instruments();
    const attributes = isUnseen && metrics === undefined ? {} : attributesOf(operation);
    const proposed = spanNameOf(operation);
    const name = config.spanName?.(operation, proposed) ?? proposed;
    const { askedAt } = operation;
    const since =
      askedAt === undefined ? {} : { startTime: Date.now() - (performance.now() - askedAt) };
    const span = isUnseen
      ? undefined
      : tracer.startSpan(
          name,
          { kind: SPAN_KINDS[operation.type], attributes, links, ...since },
          parent,
        );
    const recording = new MessageRecording({
      config,
      operation,
      attributes,
      parent,
      span,
      metrics,
    });
    recording.started();
    return recording;
  }

  #instruments(): MessagingMetrics | undefined {
    const { meter } = this.providers;
    if (meter !== this.#metrics?.meter) this.#metrics = meter && new MessagingMetrics(meter);
    return this.#metrics;
  }
}
