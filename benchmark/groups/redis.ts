import assert from 'node:assert/strict';
import { createRequire } from 'node:module';

import { context, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { registerInstrumentations } from '@opentelemetry/instrumentation';
import {
  BasicTracerProvider,
  type ReadableSpan,
  type SpanProcessor,
} from '@opentelemetry/sdk-trace-base';
import type * as Ioredis from 'ioredis';
import type * as NodeRedis from 'redis';

import { getInstrumentations } from '../../src/instrumentation/index.ts';
import { officialInstrumentations } from '../../test/instrumentation/matrix/official.ts';
import { createInstance } from '../../test/support/instances.ts';
import type { BenchmarkCase, BenchmarkGroup, Prepared } from '../harness/group.ts';

/** A client that is connected, as far as the cases need it. */
interface Target {
  /** One operation. */
  operate(): Promise<unknown>;
  close(): void;
}

/** Counts spans, and keeps none. */
class Counter implements SpanProcessor {
  count = 0;
  onStart(): void {}
  onEnd(_span: ReadableSpan): void {
    this.count += 1;
  }
  async forceFlush(): Promise<void> {}
  async shutdown(): Promise<void> {}
}

function caseOf(
  name: string,
  client: 'ioredis' | 'redis',
  spansOfOfficial: number,
  open: (url: string) => Promise<Target>,
): BenchmarkCase {
  return {
    name,
    unit: 'us CPU',
    async prepare(variant) {
      const counter = await instrument(client, variant);
      const server = await createInstance('redis');
      if (typeof server === 'string') throw new Error(server);
      const target = await open(server.url);
      return prepared(
        target,
        counter,
        { bare: 0, clew: 1, official: spansOfOfficial }[variant],
        () => server.stop(),
      );
    },
  };
}

async function instrument(client: string, variant: string): Promise<Counter> {
  const counter = new Counter();
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  trace.setGlobalTracerProvider(new BasicTracerProvider({ spanProcessors: [counter] }));
  if (variant === 'clew') {
    for (const each of getInstrumentations()) {
      if (each.instrumentationName === `clew/${client}`) each.enable();
    }
  } else if (variant === 'official') {
    registerInstrumentations({ instrumentations: await officialInstrumentations(client) });
  }
  return counter;
}

function prepared(
  target: Target,
  counter: Counter,
  spans: number | undefined,
  stop: () => Promise<void>,
): Prepared {
  return {
    async preflight() {
      await target.operate();
      counter.count = 0;
      await target.operate();
      assert.equal(counter.count, spans);
    },
    async run(count) {
      const before = process.cpuUsage();
      for (let index = 0; index < count; index += 1) await target.operate();
      const { user, system } = process.cpuUsage(before);
      return user + system;
    },
    async close() {
      target.close();
      await stop();
    },
  };
}

// The clients are required after they are instrumented, for the official packages' sake, too.
const require = createRequire(import.meta.url);

const openIoredis = async (
  url: string,
  operate: (redis: Ioredis.Redis) => Promise<unknown>,
): Promise<Target> => {
  const { Redis } = require('ioredis') as typeof Ioredis;
  const redis = new Redis(url);
  await redis.set('clew:a', 'value');
  return { operate: () => operate(redis), close: () => redis.disconnect() };
};

const PIPELINE = 10_000;

export const group: BenchmarkGroup = {
  description:
    'one call after the other over loopback, every span recorded: the client bare, with this package, with the official package',
  variants: ['bare', 'clew', 'official'],
  baseline: 'bare',
  cases: [
    caseOf('ioredis get', 'ioredis', 1, (url) => openIoredis(url, (redis) => redis.get('clew:a'))),
    caseOf('redis get', 'redis', 1, async (url) => {
      const { createClient } = require('redis') as typeof NodeRedis;
      const client = createClient({ url });
      await client.connect();
      await client.set('clew:a', 'value');
      return { operate: () => client.get('clew:a'), close: () => client.destroy() };
    }),
    caseOf('ioredis pipeline of 10000 gets', 'ioredis', PIPELINE, (url) =>
      openIoredis(url, async (redis) => {
        const pipeline = redis.pipeline();
        for (let index = 0; index < PIPELINE; index += 1) pipeline.get('clew:a');
        await pipeline.exec();
      }),
    ),
  ],
};
