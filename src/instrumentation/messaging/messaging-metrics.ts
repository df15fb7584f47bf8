import type { Attributes, Context, Counter, Histogram, Meter } from '@opentelemetry/api';
import {
  METRIC_MESSAGING_CLIENT_CONSUMED_MESSAGES,
  METRIC_MESSAGING_CLIENT_OPERATION_DURATION,
  METRIC_MESSAGING_CLIENT_SENT_MESSAGES,
  METRIC_MESSAGING_PROCESS_DURATION,
} from '@opentelemetry/semantic-conventions/incubating';

import type { MessageOperation } from './message-operation.ts';

/** Buckets that the conventions advise for durations of messaging, in seconds. */
const BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10];

/** The instruments of producers and consumers, of one meter. */
export class MessagingMetrics {
  readonly meter: Meter;
  readonly #sent: Counter;
  readonly #consumed: Counter;
  readonly #operation: Histogram;
  readonly #process: Histogram;

  constructor(meter: Meter) {
    this.meter = meter;
    this.#sent = meter.createCounter(METRIC_MESSAGING_CLIENT_SENT_MESSAGES, {
      description: 'Number of messages producer attempted to send to the broker.',
      unit: '{message}',
    });
    this.#consumed = meter.createCounter(METRIC_MESSAGING_CLIENT_CONSUMED_MESSAGES, {
      description: 'Number of messages that were delivered to the application.',
      unit: '{message}',
    });
    this.#operation = meter.createHistogram(METRIC_MESSAGING_CLIENT_OPERATION_DURATION, {
      description: 'Duration of messaging operation initiated by a producer or consumer client.',
      unit: 's',
      advice: { explicitBucketBoundaries: BUCKETS },
    });
    this.#process = meter.createHistogram(METRIC_MESSAGING_PROCESS_DURATION, {
      description: 'Duration of processing operation.',
      unit: 's',
      advice: { explicitBucketBoundaries: BUCKETS },
    });
  }

  /** Measures an operation that took `seconds`. */
  record(
    { type, batchSize = 1, isReceived }: MessageOperation,
    attributes: Attributes,
    seconds: number,
    context: Context,
  ): void {
    if (type === 'send') this.#sent.add(batchSize, attributes, context);
    if (type === 'receive' || (type === 'process' && !isReceived)) {
      this.#consumed.add(batchSize, attributes, context);
    }
    const duration = type === 'process' ? this.#process : this.#operation;
    if (type !== 'create') duration.record(seconds, attributes, context);
  }
}
