import assert from 'node:assert/strict';
import { createRequire } from 'node:module';

import { context, ROOT_CONTEXT, SpanKind, trace, TraceFlags } from '@opentelemetry/api';
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

/** Makes one call to the client. */
type Each = (call: () => Promise<unknown>) => Promise<unknown>;

/** A span with what a command has, and nothing else: what the SDK alone costs. */
const inSpan: Each = (call) => {
  const span = trace.getTracer('by hand').startSpan(
    'get 127.0.0.1:6379',
    {
      kind: SpanKind.CLIENT,
      attributes: {
        'db.system.name': 'redis',
        'db.namespace': '0',
        'db.operation.name': 'get',
        'db.query.text': 'get clew:a',
        'server.address': '127.0.0.1',
        'server.port': 6379,
      },
    },
    context.active(),
  );
  return call().finally(() => span.end());
};

function caseOf(
  name: string,
  client: 'ioredis' | 'redis',
  spansOfOfficial: number,
  open: (url: string, each: Each) => Promise<Target>,
  spans = 1,
): BenchmarkCase {
  return {
    name,
    unit: 'us CPU',
    async prepare(variant) {
      const counter = await instrument(client, variant);
      const server = await createInstance('redis');
      if (typeof server === 'string') throw new Error(server);
      const target = await open(server.url, variant === 'by hand' ? inSpan : (call) => call());
      return prepared(
        target,
        counter,
        { bare: 0, 'by hand': spans, clew: spans, official: spansOfOfficial }[variant],
        () => server.stop(),
        spans,
      );
    },
  };
}

async function instrument(client: string, variant: string): Promise<Counter> {
  const counter = new Counter();
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  trace.setGlobalTracerProvider(new BasicTracerProvider({ spanProcessors: [counter] }));
  if (variant === 'clew') {
    for (const each of getInstrumentations({ all: { requireParent: false } })) {
      if (each.instrumentationName === `clew/${client}`) each.enable();
    }
  } else if (variant === 'official') {
    registerInstrumentations({ instrumentations: await officialInstrumentations(client) });
  }
  return counter;
}

/** The context of a request that is traced. */
const REQUEST = trace.setSpanContext(ROOT_CONTEXT, {
  traceId: '0af7651916cd43dd8448eb211c80319c',
  spanId: 'b7ad6b7169203331',
  traceFlags: TraceFlags.SAMPLED,
});

function prepared(
  target: Target,
  counter: Counter,
  spans: number | undefined,
  stop: () => Promise<void>,
  size: number,
): Prepared {
  return {
    async preflight() {
      await target.operate();
      counter.count = 0;
      await target.operate();
      assert.equal(counter.count, spans);
    },
    // As in a request: what a context manager costs from its first context on, every variant has.
    run: (count) =>
      context.with(REQUEST, async () => {
        const before = process.cpuUsage();
        for (let index = 0; index < count; index += 1) await target.operate();
        const { user, system } = process.cpuUsage(before);
        return (user + system) / size;
      }),
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

const openRedis = async (
  url: string,
  operate: (client: NodeRedis.RedisClientType) => Promise<unknown>,
): Promise<Target> => {
  const { createClient } = require('redis') as typeof NodeRedis;
  const client = createClient({ url });
  await client.connect();
  await client.set('clew:a', 'value');
  return {
    operate: () => operate(client),
    close: () => client.destroy(),
  };
};

const PIPELINE = 10_000;
/** How many requests a server of some load works at. */
const AT_ONCE = 16;
const atOnce = (operate: () => Promise<unknown>): Promise<unknown> =>
  Promise.all(Array.from({ length: AT_ONCE }, operate));

export const group: BenchmarkGroup = {
  description:
    'over loopback, in the context of a traced request, every span recorded, one call after the other or 16 at once: the client bare, with a span made by hand, with this package, with the official package',
  variants: ['bare', 'by hand', 'clew', 'official'],
  baseline: 'bare',
  cases: [
    caseOf('ioredis get', 'ioredis', 1, (url, each) =>
      openIoredis(url, (redis) => each(() => redis.get('clew:a'))),
    ),
    caseOf('redis get', 'redis', 1, (url, each) =>
      openRedis(url, (client) => each(() => client.get('clew:a'))),
    ),
    caseOf(
      'ioredis get, 16 at once',
      'ioredis',
      AT_ONCE,
      (url, each) => openIoredis(url, (redis) => atOnce(() => each(() => redis.get('clew:a')))),
      AT_ONCE,
    ),
    caseOf(
      'redis get, 16 at once',
      'redis',
      AT_ONCE,
      (url, each) => openRedis(url, (client) => atOnce(() => each(() => client.get('clew:a')))),
      AT_ONCE,
    ),
    caseOf('ioredis pipeline of 10000 gets', 'ioredis', PIPELINE, (url, each) =>
      openIoredis(url, (redis) => {
        const pipeline = redis.pipeline();
        for (let index = 0; index < PIPELINE; index += 1) pipeline.get('clew:a');
        return each(() => pipeline.exec());
      }),
    ),
  ],
};
