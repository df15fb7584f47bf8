import { freePort } from '../../support/instances.ts';
import { OtlpReceiver } from '../../support/otlp-receiver.ts';
import { DeliverySpanProcessor } from '../../../src/export/delivery.ts';
import { imbalance } from '../../../src/export/stats.ts';
import { setLogLevel } from '../../../src/base/log.ts';
import { endSpans } from '../support/spans.ts';

/*
 * An hour of outages in a few minutes: cycles of a collector that answers, fails and goes away, with
 * the waits of delivery shortened in the same measure. After every cycle the sums must hold at any
 * instant they are read, everything must have arrived, and memory must not have grown.
 */

const CYCLES = Number(process.env['CYCLES'] ?? 120);
const FAULTS = [503, 429, 500, 408] as const;
/** What the heap and the buffers of both threads may grow by after the first quarter. */
const MAX_GROWTH = 24 * 1024 * 1024;

function log(line: string): void {
  process.stdout.write(`${line}\n`);
}

setLogLevel('none');
const port = await freePort();
const delivery = new DeliverySpanProcessor({
  url: `http://127.0.0.1:${port}/v1/traces`,
  backoff: { initialMillis: 5, maxMillis: 100 },
  timeoutMillis: 200,
  scheduleDelayMillis: 10,
});

let arrived = 0;
let worstImbalance = 0;
const memory: number[] = [];
const pause = (millis: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, millis));

/** Ends spans for a while, and reads the sums all along. */
async function traffic(millis: number): Promise<void> {
  for (const end = Date.now() + millis; Date.now() < end; await pause(2)) {
    endSpans(delivery, 40, { 'db.query.text': 'SELECT * FROM orders WHERE id = $1' });
    for (let i = 0; i < 20; i++) {
      const miss = Math.abs(imbalance(delivery.stats()));
      worstImbalance = Math.max(worstImbalance, miss);
    }
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
  const { ended } = delivery.stats();
  await delivery.forceFlush();
  arrived += receiver.distinct + again.distinct;
  await again.close();
  globalThis.gc?.();
  memory.push(process.memoryUsage().rss);
  const stats = delivery.stats();
  if (stats.accepted !== ended || arrived !== ended) {
    log(`cycle ${cycle}: ${ended} ended, ${stats.accepted} accepted, ${arrived} arrived`);
    process.exit(1);
  }
  if (cycle % 10 === 9) {
    log(`${cycle + 1} outages, ${ended} spans, ${(memory.at(-1) as number) >> 20} MB`);
  }
}
await delivery.shutdown();

const half = memory.slice(Math.floor(CYCLES / 4), Math.floor(CYCLES / 2));
const last = memory.slice(-Math.floor(CYCLES / 4));
const growth = Math.min(...last) - Math.min(...half);
const isFlat = growth <= MAX_GROWTH;
log(
  `memory grew by ${(growth / 2 ** 20).toFixed(1)} MB over the last half; the sums missed by ${worstImbalance}`,
);
const failed = (isFlat ? 0 : 1) + (worstImbalance === 0 ? 0 : 1);
log(`${2 - failed} passed, ${failed} failed, 0 skipped`);
process.exit(failed);
