import { createDelivery } from '../../src/index.ts';
import { BasicTracerProvider } from '@opentelemetry/sdk-trace-base';

/*
 * What a queued span weighs: ends spans that no collector takes, and prints the bytes per span of
 * the whole process, the sender's thread included.
 */

const count = Number(process.env['COUNT']);
const delivery = createDelivery({ url: 'http://127.0.0.1:9/v1/traces' });
const tracer = new BasicTracerProvider({ spanProcessors: [delivery] }).getTracer('benchmark');

function endSpans(amount: number): void {
  for (let i = 0; i < amount; i++) {
    const attributes = {
      'db.system.name': 'postgresql',
      'db.namespace': 'shop',
      'db.operation.name': 'SELECT',
      'db.query.text': `SELECT * FROM orders WHERE id = $1 AND customer = $2 LIMIT ${i}`,
      'server.address': 'db.internal',
      'server.port': 5432,
      'clew.wait.ms': 1.25,
    };
    tracer.startSpan('SELECT orders', { attributes }).end();
  }
}

async function settle(): Promise<number> {
  await new Promise((resolve) => setTimeout(resolve, 1000));
  globalThis.gc?.();
  return process.memoryUsage().rss;
}

// Room that the heaps of both threads take once is not the queue's.
for (let i = 0; i < 20; i++) {
  endSpans(1000);
  await new Promise((resolve) => setTimeout(resolve, 5));
}
const before = await settle();
const queuedBefore = delivery.stats().queued;
for (let i = 0; i < count / 1000; i++) {
  endSpans(1000);
  await new Promise((resolve) => setTimeout(resolve, 5));
}
const after = await settle();
const { queued, queuedBytes } = delivery.stats();
console.log(
  JSON.stringify({ rss: (after - before) / (queued - queuedBefore), bytes: queuedBytes / queued }),
);
process.exit(0);
