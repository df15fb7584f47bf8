import { context, SpanKind, trace, type Context } from '@opentelemetry/api';

import { messageOf } from '../../base/errors.ts';
import { sayOnce } from '../../base/log.ts';
import type { ResolvedConfig } from '../client-config.ts';
import type { Operation } from '../operation.ts';
import { attributesOf, spanNameOf } from './attributes.ts';
import { Providers } from './providers.ts';
import { Recording } from './recording.ts';
import { isSuppressed } from './suppression.ts';

/** Makes spans and durations from the operations of one client. */
export class Recorder {
  readonly providers: Providers;
  #config: ResolvedConfig;

  constructor(scope: string, version: string, config: ResolvedConfig) {
    this.providers = new Providers(scope, version);
    this.#config = config;
  }

  get config(): ResolvedConfig {
    return this.#config;
  }

  set config(config: ResolvedConfig) {
    this.#config = config;
  }

  /** Whether anybody would see what is recorded. Ask before describing an operation. */
  get isListening(): boolean {
    return this.providers.tracer !== undefined || this.providers.duration !== undefined;
  }

  /**
   * Starts recording `operation` under the active context, or returns `undefined` where it is not
   * to be recorded.
   */
  start(operation: Operation, parent: Context = context.active()): Recording | undefined {
    const { tracer, duration } = this.providers;
    if (tracer === undefined && duration === undefined) return undefined;
    try {
      if (isSuppressed(parent) || this.#isIgnored(operation, parent)) return undefined;
      const attributes = attributesOf(operation, this.#config);
      const span = tracer?.startSpan(
        spanNameOf(operation, attributes),
        { kind: operation.kind ?? SpanKind.CLIENT, attributes },
        parent,
      );
      const recording = new Recording(this.#config, span, duration, attributes, parent);
      recording.started(operation);
      return recording;
    } catch (error) {
      // A processor or sampler that throws must not reach the caller of a query.
      sayOnce('error', `record:${messageOf(error)}`, `cannot record: ${messageOf(error)}`);
      return undefined;
    }
  }

  #isIgnored(operation: Operation, parent: Context): boolean {
    const { requireParent, ignore } = this.#config;
    if (requireParent && trace.getSpanContext(parent) === undefined) return true;
    return ignore?.(operation) === true;
  }
}
