import { createDelivery, type DeliverySpanProcessor } from './export/delivery.ts';
import type { DeliveryOptions } from './export/options.ts';
import type { SpanProcessor } from './export/sdk/sdk-types.ts';
import { TraceClockProcessor } from './export/sdk/trace-clock.ts';
import { RepairSpanProcessor } from './instrumentation/rules/index.ts';
import type { AsyncResourceTracer } from './tracer/async-resource-tracer.ts';
import { SplitSpanProcessor } from './tracer/split-span-processor.ts';

/** What `createSpanProcessors` takes: the options of the delivery, and what else sees spans. */
export interface SpanProcessorsOptions extends DeliveryOptions {
  /** The tracer whose measurements spans get: how long they ran and waited. Default: none. */
  tracer?: AsyncResourceTracer;
  /** Your own processors; they see each span with all of its attributes, before it is delivered. */
  processors?: readonly SpanProcessor[];
}

/** What `createSpanProcessors` returns. */
export interface SpanProcessors {
  /** For a provider: `new BasicTracerProvider({ spanProcessors })`. */
  readonly spanProcessors: SpanProcessor[];
  /** The last of them, which sends the spans: for `installExitHandlers`, and its `stats()`. */
  readonly delivery: DeliverySpanProcessor;
}

/**
 * Makes the span processors of clew for a provider of your own, in the order in which they have to
 * stand: the clock that all spans of a trace share, the tracer's measurements, the marks of repaired
 * contexts, your own, and the delivery.
 *
 * An option of the delivery that is no good is an `ERR_OPTION`.
 */
export function createSpanProcessors(options: SpanProcessorsOptions = {}): SpanProcessors {
  const { tracer, processors = [], ...ofDelivery } = options;
  const delivery = createDelivery(ofDelivery);
  const split = tracer ? [new SplitSpanProcessor(tracer)] : [];
  return {
    spanProcessors: [
      new TraceClockProcessor(),
      ...split,
      new RepairSpanProcessor(),
      ...processors,
      delivery,
    ],
    delivery,
  };
}
