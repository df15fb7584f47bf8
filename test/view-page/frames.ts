import { cpus } from 'node:os';

import { findBinary } from '../support/find-binary.ts';
import { exportRequest, largeTrace } from './support/made-traces.ts';
import { send, startPage } from './support/real-application.ts';
import { scrollThrough } from './support/scroll.ts';

/*
 * Scrolls through the waterfall of a trace of 10,000 spans and prints what it cost:
 * `npm run bench:page`.
 */
const SPANS = 10_000;
const STEPS = 240;

const { chromium } = await import('playwright-core');
const executablePath = findBinary(['chromium', 'chromium-browser', 'google-chrome-stable']);
if (executablePath === undefined) throw new Error('This needs chromium on the PATH.');
const viewer = await startPage();
const spans = largeTrace(SPANS);
await send(viewer.otlpUrl, exportRequest(spans, 'everything'));
const browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] });
try {
  const page = await browser.newPage({ viewport: { width: 1280, height: 800 } });
  await page.goto(`${viewer.pageUrl}#/trace/${spans[0]?.traceId}`);
  await page.waitForSelector('.timeline .row');
  const { workMillis, frames } = await scrollThrough(page, '.timeline .rows', STEPS);
  const sorted = frames.toSorted((a, b) => a - b);
  const at = (share: number): string => (sorted[Math.floor(sorted.length * share)] ?? 0).toFixed(1);
  process.stdout.write(
    `${SPANS} spans, ${STEPS} steps, Chromium ${browser.version()}, ${cpus()[0]?.model}\n` +
      `work of a frame   ${workMillis.toFixed(1)} ms\n` +
      `frame to frame    median ${at(0.5)} ms, 95 % within ${at(0.95)} ms\n`,
  );
} finally {
  await browser.close();
  await viewer.stop();
}
