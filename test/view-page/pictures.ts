import { once } from 'node:events';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { scenes } from '../../src/cli/demo/scenes.ts';
import type { RequestList } from '../../src/viewer/model.ts';
import { findBinary } from '../support/find-binary.ts';
import { freePort } from '../support/instances.ts';
import { RunningNode } from '../support/run-node.ts';

/*
 * Draws the pictures of the documents: `npm run docs:page`. They are of the page of a real
 * `clew demo`, after some more of what the demo asks its shop.
 */
const IMAGES = fileURLToPath(new URL('../../../docs/images/', import.meta.url));
const CLI = fileURLToPath(new URL('../../src/cli/main.js', import.meta.url));
const ROUNDS = 16;

const { chromium } = await import('playwright-core');
const executablePath = findBinary(['chromium', 'chromium-browser', 'google-chrome-stable']);
if (executablePath === undefined) throw new Error('The pictures need chromium on the PATH.');
const demo = new RunningNode([CLI, 'demo'], {
  env: {
    OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${await freePort()}`,
    DATABASE_URL: undefined,
    REDIS_URL: undefined,
  },
});
const [, shopUrl = ''] = await demo.waitFor(/The shop listens at (http:\S+):/);
const [, pageUrl = ''] = await demo.waitFor(/The traces are on a page: (http:\S+)/);
const first = Date.now();
let sent = 0;
for (let round = 0; round < ROUNDS; round++) {
  for (const { requests } of scenes) {
    await Promise.all(requests.map(ask));
    sent += requests.length;
    await pause(60 + ((round * 37) % 90));
  }
}
const list = await found(sent);
const [held] = list.requests
  .filter(({ name, blockedBy }) => name.startsWith('POST') && blockedBy?.traceId)
  .sort((a, b) => (b.blockedBy?.ms ?? 0) - (a.blockedBy?.ms ?? 0));
const browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] });
try {
  const page = await browser.newPage({
    viewport: { width: 1280, height: 720 },
    timezoneId: 'UTC',
    locale: 'en-GB',
  });
  const views: [file: string, hash: string, selector: string][] = [
    ['page-list.png', '/', '.list .row'],
    ['page-threads.png', `/trace/${held?.traceId}?view=threads`, '.threads .row'],
  ];
  for (const [file, hash, selector] of views) {
    await page.goto(`${pageUrl}#${hash}`);
    await page.waitForSelector(selector);
    await page.waitForTimeout(400);
    await page.screenshot({ path: join(IMAGES, file) });
  }
} finally {
  await browser.close();
  const ended = once(demo.child, 'close');
  demo.child.kill('SIGINT');
  await ended;
}

async function ask(request: string): Promise<void> {
  const [method = 'GET', path = '/'] = request.split(' ');
  const response = await fetch(shopUrl + path, { method });
  await response.arrayBuffer();
}

/** The requests since the demo's own, once all are there. */
async function found(count: number): Promise<RequestList> {
  for (let left = 200; left > 0; left--) {
    const response = await fetch(`${pageUrl}clew/requests?from=${first}&limit=1000`);
    const answer = (await response.json()) as RequestList;
    if (answer.total >= count) return answer;
    await pause(50);
  }
  throw new Error(`fewer than ${count} requests are on the page`);
}

function pause(millis: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, millis));
}
