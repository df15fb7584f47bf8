import { readFileSync } from 'node:fs';
import { monitorEventLoopDelay } from 'node:perf_hooks';

import { SpanKind } from '@opentelemetry/api';
import { CompressionAlgorithm } from '@opentelemetry/otlp-exporter-base';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import {
  BasicTracerProvider,
  BatchSpanProcessor,
  type SpanProcessor,
} from '@opentelemetry/sdk-trace-base';

import { createDelivery } from '../../src/index.ts';

/*
 * Ends spans with seven attributes at a steady rate through one pipeline, and prints what that cost:
 * one process per case, so that no case warms up another.
 */

const { CASE: name = 'none', URL: url = '', SPOOL: spool = '' } = process.env;
const rate = Number(process.env['RATE']);
const millis = Number(process.env['MILLIS']);

const noProcessor: SpanProcessor = {
  onStart: () => undefined,
  onEnd: () => undefined,
  forceFlush: () => Promise.resolve(),
  shutdown: () => Promise.resolve(),
};

const CASES: Record<string, () => SpanProcessor> = {
  none: () => noProcessor,
  sdk: () => new BatchSpanProcessor(new OTLPTraceExporter({ url })),
  'sdk gzip': () => {
    const compression = CompressionAlgorithm.GZIP;
    return new BatchSpanProcessor(new OTLPTraceExporter({ url, compression }));
  },
  clew: () => createDelivery({ url, compression: 'none' }),
  'clew gzip': () => createDelivery({ url, compression: 'gzip' }),
  'clew gzip spool': () => createDelivery({ url, compression: 'gzip', spool }),
  'clew gzip one thread': () => createDelivery({ url, compression: 'gzip', thread: false }),
};

const processor = CASES[name]?.() ?? noProcessor;
const provider = new BasicTracerProvider({ spanProcessors: [processor] });
const tracer = provider.getTracer('benchmark', '1.0.0');

let ended = 0;
function endSpan(): void {
  tracer
    .startSpan('SELECT orders', {
      kind: SpanKind.CLIENT,
      attributes: {
        'db.system.name': 'postgresql',
        'db.namespace': 'shop',
        'db.operation.name': 'SELECT',
        'db.query.text': `SELECT * FROM orders WHERE id = $1 AND customer = $2 LIMIT ${ended % 100}`,
        'server.address': 'db.internal',
        'server.port': 5432,
        'clew.wait.ms': 1.25,
      },
    })
    .end();
  ended++;
}

/** Time on the CPU of the application's own thread, in microseconds; Linux says it to the ns. */
function mainThreadMicros(): number {
  const [nanos] = readFileSync(`/proc/self/task/${process.pid}/schedstat`, 'utf8').split(' ');
  return Number(nanos) / 1000;
}

async function produce(duration: number): Promise<void> {
  const started = performance.now();
  const before = ended;
  for (;;) {
    const elapsed = Math.min(duration, performance.now() - started);
    const due = before + Math.floor((elapsed * rate) / 1000);
    while (ended < due) endSpan();
    if (elapsed >= duration) return;
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

// What compiles during the first seconds is not what a service pays all day.
await produce(millis / 2);
const delay = monitorEventLoopDelay({ resolution: 1 });
delay.enable();
const from = { main: mainThreadMicros(), all: process.cpuUsage(), ended };
await produce(millis);
const all = process.cpuUsage(from.all);
const main = mainThreadMicros() - from.main;
const count = ended - from.ended;
delay.disable();
await provider.shutdown();
console.log(
  JSON.stringify({
    main: main / count,
    all: (all.user + all.system) / count,
    p99: delay.percentile(99) / 1e6,
    max: delay.max / 1e6,
  }),
);
