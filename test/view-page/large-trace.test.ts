import assert from 'node:assert/strict';

import type { Browser } from 'playwright-core';

import { requireBrowser, WatchedPage } from './support/browser.ts';
import { exportRequest, largeTrace, shopTraces } from './support/made-traces.ts';
import { send, startPage } from './support/real-application.ts';
import { scrollThrough } from './support/scroll.ts';

const SPANS = 10_000;
/** Of work for a frame: 30 in a second, where each shows other lines and the machine is busy. */
const FRAME_MILLIS = 33;

describe('the page: a trace of 10,000 spans, and thousands of requests', function () {
  this.timeout(180_000);
  let browser: Browser;
  let viewer: Awaited<ReturnType<typeof startPage>>;
  let watched: WatchedPage;

  before(async function () {
    browser = await requireBrowser(this);
    viewer = await startPage();
    await send(viewer.otlpUrl, exportRequest(largeTrace(SPANS), 'everything'));
    await send(viewer.otlpUrl, exportRequest(shopTraces(3000)));
    watched = await WatchedPage.open(browser, viewer.pageUrl);
    await watched.page.waitForSelector('.list .row');
  });
  after(async () => {
    await watched?.close();
    await viewer?.stop();
  });

  const scroll = async (selector: string, steps: number): Promise<number> =>
    (await scrollThrough(watched.page, selector, steps)).workMillis;

  it('opens it, keeps few lines in the document, and scrolls with a frame for each step', async () => {
    await watched.page.fill('.search-field', 'service:everything');
    await watched.page.waitForSelector('.list[aria-busy=false]');
    await watched.page.locator('.list .row').first().click();
    await watched.page.waitForSelector('.timeline .row');
    assert.match(await watched.page.locator('.timeline-head').innerText(), /10,000 spans/);
    const lines = await watched.page.locator('.timeline .row').count();
    assert.ok(lines < 100, `${lines} lines are in the document`);
    const millis = await scroll('.timeline .rows', 120);
    assert.ok(millis > 0 && millis < FRAME_MILLIS, `${millis} ms of work for a frame`);
    // The last span of the trace is at the end.
    const trace = viewer.viewer.trace(largeTrace(1)[0]?.traceId ?? '');
    const last = trace?.spans.at(-1)?.id ?? '';
    await watched.page.waitForSelector(`#span-${last}`);
  });

  it('folds, unfolds and zooms within a blink', async () => {
    await watched.page.keyboard.press('Home');
    await watched.page.waitForSelector('.timeline .row.current');
    await watched.page.keyboard.press('ArrowLeft');
    await watched.until(
      'the folded trace',
      async () => (await watched.page.locator('.timeline .row').count()) === 1,
    );
    await watched.page.keyboard.press('ArrowRight');
    await watched.drag('.minimap', [0.4, 0.5], [0.45, 0.5]);
    await watched.page.waitForSelector('.minimap .brush');
    const ticks = (await watched.texts('.tick')).join(' ');
    assert.match(ticks, /8\d\d ms|900 ms/, ticks);
    await watched.page.keyboard.press('0');
    await watched.page.waitForSelector('.minimap .brush', { state: 'detached' });
  });

  it('lists 3,000 requests and fetches more as one scrolls', async () => {
    await watched.goTo('/', '.list .row');
    await watched.page.waitForSelector('.list[aria-busy=false]');
    assert.match(await watched.page.locator('.list-count').innerText(), /3,001 requests/);
    const millis = await scroll('.list .rows', 60);
    assert.ok(millis > 0 && millis < FRAME_MILLIS, `${millis} ms of work for a frame`);
    await watched.until('all of them', async () => {
      await scroll('.list .rows', 1);
      return (await watched.page.locator('.list-count').innerText()) === '3,001 requests';
    });
    assert.ok((await watched.page.locator('.list .row').count()) < 100);
  });
});
