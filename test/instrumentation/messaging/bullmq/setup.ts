import { propagation } from '@opentelemetry/api';
import { W3CTraceContextPropagator } from '@opentelemetry/core';
import type { ReadableSpan } from '@opentelemetry/sdk-trace-base';
import * as bullmq6 from 'bullmq';
import * as bullmq5 from 'bullmq-5';
import * as bullmq50 from 'bullmq-5.0';

import { MESSAGING } from '../../../../src/instrumentation/messaging/index.ts';
import {
  MessagingInstrumentation,
  type MessagingConfig,
} from '../../../../src/instrumentation/index.ts';
import { requireService } from '../../../support/services.ts';
import { registerTelemetry, type Telemetry } from '../../support/telemetry.ts';

export type BullMQ = typeof bullmq6;

/** The newest of each major version, and the oldest that is supported. */
export const VERSIONS: Readonly<Record<string, BullMQ>> = {
  'bullmq 6': bullmq6,
  'bullmq 5': bullmq5 as unknown as BullMQ,
  'bullmq 5.0': bullmq50 as unknown as BullMQ,
};

let queues = 0;

/** Queues and workers of one test, which are closed after it. */
export class Bench {
  readonly telemetry: Telemetry = registerTelemetry();
  readonly connection: { host: string; port: number };
  readonly instrumentation: MessagingInstrumentation;
  readonly #bullmq: BullMQ;
  readonly #closing: (() => Promise<unknown>)[] = [];
  readonly #undo: () => void;

  constructor(bullmq: BullMQ, redis: string, config: MessagingConfig = {}) {
    const { hostname: host, port } = new URL(redis);
    this.connection = { host, port: Number(port) };
    this.#bullmq = bullmq;
    propagation.setGlobalPropagator(new W3CTraceContextPropagator());
    this.instrumentation = new MessagingInstrumentation(MESSAGING.bullmq, config);
    this.#undo = this.instrumentation.instrument(bullmq);
  }

  queue(options: object = {}): bullmq6.Queue {
    const queue = new this.#bullmq.Queue(`clew-${process.pid}-${queues++}`, {
      connection: this.connection,
      ...options,
    });
    this.#closing.push(async () => {
      await queue.obliterate({ force: true });
      await queue.close();
    });
    return queue;
  }

  flows(options: object = {}): bullmq6.FlowProducer {
    const flows = new this.#bullmq.FlowProducer({ connection: this.connection, ...options });
    this.#closing.push(() => flows.close());
    return flows;
  }

  worker(
    queue: { name: string },
    processor: string | ((job: bullmq6.Job) => unknown),
    options: object = {},
  ): bullmq6.Worker {
    const worker = new this.#bullmq.Worker(queue.name, processor as bullmq6.Processor, {
      connection: { ...this.connection, maxRetriesPerRequest: null },
      ...options,
    });
    // Before its queue is.
    this.#closing.unshift(() => worker.close());
    return worker;
  }

  /** The spans of processing that have ended so far. */
  get processed(): ReadableSpan[] {
    return this.telemetry.spans().filter(({ name }) => name.startsWith('process '));
  }

  get sent(): ReadableSpan[] {
    return this.telemetry.spans().filter(({ name }) => name.startsWith('send '));
  }

  async close(): Promise<void> {
    for (const close of this.#closing.splice(0)) await close();
    this.#undo();
  }
}

/** Describes each version with a bench that `make` returns, closed after each test. */
export function describeVersions(
  title: string,
  tests: (make: (config?: MessagingConfig) => Bench, bullmq: BullMQ) => void,
  isMeant: (version: string) => boolean = () => true,
): void {
  for (const [version, bullmq] of Object.entries(VERSIONS)) {
    if (!isMeant(version)) continue;
    describe(`${title} of ${version}`, function () {
      this.timeout(120_000);
      let redis: string;
      const benches: Bench[] = [];

      before(async function () {
        redis = await requireService(this, 'redis');
      });
      afterEach(async () => {
        for (const bench of benches.splice(0)) await bench.close();
      });

      const make = (config?: MessagingConfig): Bench => {
        const bench = new Bench(bullmq, redis, config);
        benches.push(bench);
        return bench;
      };
      tests(make, bullmq);
    });
  }
}

/** Waits until `worker` has told of `count` jobs that ended so. */
export function ended(
  worker: bullmq6.Worker,
  count = 1,
  event: 'completed' | 'failed' = 'completed',
): Promise<void> {
  let left = count;
  return new Promise((resolve) => {
    worker.on(event, () => {
      if (--left === 0) resolve();
    });
  });
}
