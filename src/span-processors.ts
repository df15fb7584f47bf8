import { createDelivery, type DeliverySpanProcessor } from './export/delivery.ts';
import type { DeliveryOptions } from './export/options.ts';
import type { SpanProcessor } from './export/sdk/sdk-types.ts';
import { TraceClockProcessor } from './export/sdk/trace-clock.ts';
import { RepairSpanProcessor } from './instrumentation/rules/index.ts';
import type { AsyncResourceTracer } from './tracer/async-resource-tracer.ts';
import { SplitSpanProcessor } from './tracer/split-span-processor.ts';

/** Options of `createSpanProcessors`: those of the delivery, and further span processors. */
export interface SpanProcessorsOptions extends DeliveryOptions {
  /** The tracer that measures how long spans ran and waited. Default: none. */
  tracer?: AsyncResourceTracer;
  /**
   * Your own processors. They receive each span with all its attributes, before it is delivered.
   */
  processors?: readonly SpanProcessor[];
}

/** What `createSpanProcessors` returns. */
export interface SpanProcessors {
  /** Pass them to a provider: `new BasicTracerProvider({ spanProcessors })`. */
  readonly spanProcessors: SpanProcessor[];
  /**
   * The last of them, which sends the spans. Pass it to `installExitHandlers`; call its `stats()`.
   */
  readonly delivery: DeliverySpanProcessor;
}

/**
 * Creates clew's span processors for a provider of your own, in the required order: the clock
 * shared by all spans of a trace, the tracer's measurements, the marks of repaired contexts, your
 * own processors, and the delivery.
 *
 * Throws `ERR_OPTION` for an invalid option of the delivery.
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
