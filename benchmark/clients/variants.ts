import { createRequire } from 'node:module';

import {
  context,
  metrics,
  ROOT_CONTEXT,
  SpanKind,
  trace,
  TraceFlags,
  type Context,
} from '@opentelemetry/api';
import { registerInstrumentations } from '@opentelemetry/instrumentation';
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics';
import {
  AlwaysOnSampler,
  BasicTracerProvider,
  ParentBasedSampler,
  SamplingDecision,
  type ReadableSpan,
  type Sampler,
  type SpanProcessor,
} from '@opentelemetry/sdk-trace-base';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';

import { getInstrumentations } from '../../src/index.ts';
import { officialInstrumentations } from '../../test/instrumentation/matrix/official.ts';
import { startDatadog } from '../../test/support/datadog.ts';
import type { Prepared } from '../harness/group.ts';
import { replay, watchSockets } from './replay.ts';

/** Who instruments, and what the SDK does with it. */
export const CLIENT_VARIANTS: readonly string[] = [
  'bare',
  'span',
  'clew-idle',
  'clew-off',
  'clew-asked',
  'clew-on',
  'clew-metrics',
  'official-off',
  'official-on',
  'dd-trace',
];

/** The attributes that a span of a query has, for one that is made by hand. */
const ATTRIBUTES = {
  'db.system.name': 'postgresql',
  'db.namespace': 'app',
  'server.address': '127.0.0.1',
  'server.port': 5433,
  'network.peer.address': '127.0.0.1',
  'network.peer.port': 5433,
  'db.query.text': 'SELECT $1::int AS n',
  'db.query.summary': 'SELECT',
};

interface Opened {
  call(this: void): unknown;
  close(this: void): unknown;
}

/** By `require`, which is where the official packages look without a loader. */
export function requireClient<Client>(name: string): Client {
  return createRequire(import.meta.url)(name) as Client;
}

/** A call of a client, to be made again and again. */
export interface ClientCase {
  name: string;
  /** The client by its name in configuration. */
  client: string;
  /** Loads the client, which is instrumented by now, and connects. */
  open(): Opened | Promise<Opened>;
  /** What it works over, of which this package instruments what is used. */
  over?: readonly string[];
  /** Spans of one call under the official package, which may make more than one; none without one. */
  officialSpans?: number;
  /** The same under dd-trace; none where it does not know the client. */
  datadogSpans?: number;
  /** Operations of one call, each of which is a span; one if not said. */
  operations?: number;
  /** Calls of one sample; a thousand if not said. */
  count?: number;
  /** Samples that are not counted; twenty if not said. */
  warmUps?: number;
}

/** The other tools have something to compare for some clients alone. */
export function variantsOf({ officialSpans, datadogSpans }: ClientCase): string[] {
  return CLIENT_VARIANTS.filter((variant) => {
    if (variant.startsWith('official')) return officialSpans !== undefined;
    return variant !== 'dd-trace' || datadogSpans !== undefined;
  });
}

/** Counts spans and forgets them. */
class CountingProcessor implements SpanProcessor {
  ended = 0;
  onStart(): void {}
  onEnd(_span: ReadableSpan): void {
    this.ended++;
  }
  async forceFlush(): Promise<void> {}
  async shutdown(): Promise<void> {}
}

/** The context of a request that came with a decision about its trace. */
function requestOf(mode: string | undefined): Context {
  return trace.setSpanContext(ROOT_CONTEXT, {
    traceId: '0af7651916cd43dd8448eb211c80319c',
    spanId: 'b7ad6b7169203331',
    traceFlags: mode === 'off' ? TraceFlags.NONE : TraceFlags.SAMPLED,
    isRemote: true,
  });
}

/** One of the application's own, of which nobody knows what it will say. */
const REFUSING: Sampler = {
  shouldSample: () => ({ decision: SamplingDecision.NOT_RECORD }),
  toString: () => 'Refusing',
};

/**
 * How deep in an application a call is made: an error takes the ten frames on top of the stack, so
 * that a wrapper costs a client that makes one for each call nothing more than the frames it hides.
 */
const STACK_DEPTH = 10;

function fromDepth(depth: number, call: () => unknown): unknown {
  return depth === 0 ? call() : fromDepth(depth - 1, call);
}

/** `call`, beside which the application makes a span for each operation and ends it. */
function withSpan(call: () => unknown, operations: number): () => unknown {
  const tracer = trace.getTracer('by hand');
  return () => {
    for (let made = 0; made < operations; made += 1) {
      tracer.startSpan('SELECT', { kind: SpanKind.CLIENT, attributes: ATTRIBUTES }).end();
    }
    return call();
  };
}

/** Sets the SDK up, and whoever instruments; returns what runs a call as a part of a request. */
async function instrument(
  found: ClientCase,
  variant: string,
  counter: CountingProcessor,
): Promise<<Result>(fn: () => Result) => Result> {
  const [who, mode] = variant.split('-') as [string, string | undefined];
  if (variant === 'dd-trace') {
    const tracer = startDatadog(found.client, () => void (counter.ended += 1));
    return (fn) => tracer.trace('request', fn);
  }
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  // The bare client shares its process with the same SDK.
  if (mode !== 'idle' && mode !== 'metrics') {
    trace.setGlobalTracerProvider(
      new BasicTracerProvider({
        sampler:
          mode === 'asked' ? REFUSING : new ParentBasedSampler({ root: new AlwaysOnSampler() }),
        spanProcessors: [counter],
      }),
    );
  }
  if (mode === 'metrics') {
    const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
    const reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 1e9 });
    metrics.setGlobalMeterProvider(new MeterProvider({ readers: [reader] }));
  }
  // Either way only what the client needs: other libraries' patches are no cost of its own.
  if (who === 'clew') {
    const wanted = [found.client, ...(found.over ?? [])].map((name) => `clew/${name}`);
    for (const one of getInstrumentations({ all: { requireParent: false } })) {
      if (wanted.includes(one.instrumentationName)) one.enable();
    }
  }
  if (who === 'official') {
    registerInstrumentations({ instrumentations: await officialInstrumentations(found.client) });
  }
  const request = requestOf(mode);
  return (fn) => context.with(request, fn);
}

/** The spans of one call in a variant. */
function spansOf(
  { officialSpans, datadogSpans, operations = 1 }: ClientCase,
  variant: string,
): number {
  if (variant === 'dd-trace') return datadogSpans ?? 0;
  if (variant === 'official-on') return officialSpans ?? 0;
  return variant === 'clew-on' || variant === 'span' ? operations : 0;
}

/** Prepares a case, whose server answers itself or is replayed. */
export async function prepareClient(
  found: ClientCase,
  variant: string,
  peer: 'server' | 'replay' = 'server',
): Promise<Prepared> {
  const counter = new CountingProcessor();
  const inRequest = await instrument(found, variant, counter);
  if (peer === 'replay') watchSockets();
  const opened = await found.open();
  const { operations = 1 } = found;
  const call = variant === 'span' ? withSpan(opened.call, operations) : opened.call;
  return {
    preflight: async () => {
      // What is lazy begins where it is waited for.
      const once = async (): Promise<void> => void (await call());
      await inRequest(once);
      let spans = 0;
      await inRequest(async () => {
        const before = counter.ended;
        await once();
        spans = counter.ended - before;
      });
      if (spans !== spansOf(found, variant)) {
        throw new Error(`${found.name}, ${variant}: ${spans} spans of ${spansOf(found, variant)}`);
      }
      if (peer === 'replay') await replay(call);
    },
    // As in a request: what a context manager costs from its first context on, every variant has.
    run: (count) =>
      inRequest(async () => {
        const before = process.cpuUsage();
        for (let index = 0; index < count; index += 1) await fromDepth(STACK_DEPTH, call);
        const { user, system } = process.cpuUsage(before);
        return (user + system) / operations;
      }),
    count: found.count ?? (peer === 'replay' ? 4000 : 1000),
    warmUps: found.warmUps ?? 20,
    close: async () => {
      // A server whose part is played does not answer a goodbye; its process is about to end anyway.
      if (peer === 'server') await opened.close();
    },
  };
}
