import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { BasicTracerProvider } from '@opentelemetry/sdk-trace-base';

import { DeliverySpanProcessor } from '../../../src/export/delivery.ts';
import type { DeliveryOptions } from '../../../src/export/options.ts';
import { imbalance } from '../../../src/export/stats.ts';
import { setLogLevel } from '../../../src/base/log.ts';
import { freePort } from '../../support/instances.ts';
import { OtlpReceiver } from '../../support/otlp-receiver.ts';
import { keepBook } from '../support/books.ts';
import { slopeOf } from './slope.ts';

/*
 * More than an hour of outages in about five minutes: cycles of a collector that answers, fails, goes
 * away and comes back, with the waits of delivery shortened thirtyfold. It fails unless
 *
 *   - the sums hold at every instant somebody looks, and after each cycle everything has arrived;
 *   - memory is flat: what the heap and the buffers hold after a full collection at the end of each
 *     cycle, the queue being empty, has a slope of at most MAX_SLOPE over the last two thirds.
 *
 * Memory is that of this thread. The sender's is in it where it runs on this thread, and elsewhere
 * the process as a whole must not grow. LEAK=1 keeps what 1 span in 50 takes, to see it fail.
 */

const CYCLES = Number(process.env['CYCLES'] ?? 50);
const FAULTS = [503, 429, 500, 408] as const;
/** Bytes per cycle of some 3,000 spans: less than three for each. */
const MAX_SLOPE = 8192;
/** What the process as a whole may have grown by in the last two thirds, in bytes: a coarse sieve. */
const MAX_GROWTH = 64 * 2 ** 20;

const spool = join(mkdtempSync(join(tmpdir(), 'clew-soak-')), 'spool');
const MODES: [title: string, options: DeliveryOptions][] = [
  ['a sender thread', {}],
  ['one thread', { thread: false }],
  ['a sender thread and the spool', { spool }],
  ['one thread and the spool', { thread: false, spool }],
];

const leaked: unknown[] = [];
const pause = (millis: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, millis));

function log(line: string): void {
  process.stdout.write(`${line}\n`);
}

/** One delivery through all cycles; returns what is wrong with it. */
async function soak(title: string, options: DeliveryOptions): Promise<string[]> {
  const port = await freePort();
  const delivery = new DeliverySpanProcessor({
    url: `http://127.0.0.1:${port}/v1/traces`,
    backoff: { initialMillis: 15, maxMillis: 1000 },
    timeoutMillis: 330,
    scheduleDelayMillis: 10,
    ...options,
  });
  const { book, look } = keepBook(delivery);
  const tracer = new BasicTracerProvider({ spanProcessors: [delivery] }).getTracer('soak');
  const attributes = { 'db.query.text': 'SELECT * FROM orders WHERE id = $1' };
  const faults: string[] = [];
  const held: number[] = [];
  const sizes: number[] = [];
  let arrived = 0;
  let copies = 0;

  async function traffic(millis: number): Promise<void> {
    for (const end = Date.now() + millis; Date.now() < end; await pause(2)) {
      for (let i = 0; i < 8; i++) {
        tracer.startSpan(`span ${i}`, { attributes }).end();
        look();
      }
      if (process.env['LEAK']) leaked.push(Buffer.alloc(50));
    }
  }

  for (let cycle = 0; cycle < CYCLES; cycle++) {
    const status = FAULTS[cycle % FAULTS.length] as number;
    const receiver = await new OtlpReceiver().listen(port);
    await traffic(150);
    receiver.fault = ({ index }) => {
      if (index % 7 === 0) return { reset: 'before' };
      return index % 11 === 0 ? { hang: true } : { status };
    };
    await traffic(300);
    await receiver.close();
    await traffic(500);
    const again = await new OtlpReceiver().listen(port);
    await traffic(100);
    // A flush gives up on a collector that is slow for its time-outs, as on a busy machine.
    for (let flush = 0; flush < 20; flush++) {
      const { queued, spooled } = delivery.stats();
      if (queued + spooled === 0) break;
      await delivery.forceFlush();
    }
    const spans = [...receiver.spans, ...again.spans];
    const ids = new Set(spans.map(({ spanId }) => spanId));
    arrived += ids.size;
    copies += spans.length - ids.size;
    await again.close();
    const { ended, accepted } = delivery.stats();
    if (accepted !== ended || arrived !== ended || imbalance(delivery.stats()) !== 0) {
      faults.push(`cycle ${cycle}: ${ended} ended, ${accepted} accepted, ${arrived} arrived`);
      break;
    }
    spans.length = receiver.spans.length = again.spans.length = 0;
    ids.clear();
    await pause(10);
    globalThis.gc?.();
    globalThis.gc?.();
    const { heapUsed, external, rss } = process.memoryUsage();
    held.push(heapUsed + external);
    sizes.push(rss);
  }
  await delivery.shutdown();
  if (book.worst !== 0) faults.push(`the sums missed by ${book.worst}`);
  const late = held.slice(Math.floor(held.length / 3));
  const slope = slopeOf(late);
  if (slope > MAX_SLOPE) faults.push(`memory grows by ${slope.toFixed(0)} bytes a cycle`);
  const growth = slopeOf(sizes.slice(Math.floor(sizes.length / 3))) * late.length;
  if (growth > MAX_GROWTH) faults.push(`the process grew by ${(growth / 2 ** 20).toFixed(0)} MB`);
  if (options.spool && readdirSync(spool).length > 0) faults.push('the spool is not empty');
  log(
    `${faults.length === 0 ? 'ok  ' : 'FAIL'} ${title}: ${held.length} outages, ${arrived} spans, ${copies} of them twice`,
  );
  log(
    `     ${((late.at(-1) ?? 0) / 2 ** 20).toFixed(1)} MB held, slope ${slope.toFixed(0)} bytes a cycle (limit ${MAX_SLOPE}); the process ${(growth / 2 ** 20).toFixed(1)} MB; looked at the sums ${book.instants} times`,
  );
  return faults;
}

if (!globalThis.gc) throw new Error('Run it with --expose-gc.');
setLogLevel('none');
log(`Node ${process.versions.node}`);
let failed = 0;
for (const [title, options] of MODES) {
  const faults = await soak(title, options);
  for (const fault of faults) log(`     ${fault}`);
  if (faults.length > 0) failed++;
}
rmSync(join(spool, '..'), { recursive: true });
log(`${MODES.length - failed} passed, ${failed} failed, 0 skipped`);
process.exit(failed);
