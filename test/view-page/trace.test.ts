import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

import type { Browser } from 'playwright-core';

import type { RequestRow } from '../../src/viewer/model.ts';
import { requireService } from '../support/services.ts';
import { requireBrowser, WatchedPage } from './support/browser.ts';
import { findRequest, isHeldUp, visitedWorld, type World } from './support/real-application.ts';

describe('the page: one request of a real application', function () {
  this.timeout(120_000);
  let browser: Browser;
  let world: World;
  let watched: WatchedPage;

  before(async function () {
    browser = await requireBrowser(this);
    world = await visitedWorld(await requireService(this, 'postgresql', { embedded: true }));
  });
  beforeEach(async () => {
    watched = await WatchedPage.open(browser, world.viewer.pageUrl);
    await watched.page.waitForSelector('.list .row');
  });
  afterEach(() => watched.close());

  const find = (fits: (row: RequestRow) => boolean): RequestRow => {
    const row = findRequest(world.viewer, fits);
    assert.ok(row, 'there is no such request');
    return row;
  };
  const open = (row: RequestRow, view = ''): Promise<void> =>
    watched.goTo(`/trace/${row.traceId}${view && `?view=${view}`}`, '.trace-head .badge');

  it('shows each span below its parent, and folds and unfolds', async () => {
    const row = find(({ name }) => name.startsWith('POST'));
    await open(row);
    const spans = world.viewer.viewer.trace(row.traceId)?.spans ?? [];
    const lines = await watched.texts('.timeline .row .span-name');
    assert.deepEqual(
      lines,
      spans.map(({ name }) => name),
    );
    for (const statement of ['BEGIN', 'UPDATE products', 'INSERT orders', 'COMMIT']) {
      assert.ok(lines.includes(statement), lines.join(', '));
    }
    const levels = await watched.page
      .locator('.timeline .row')
      .evaluateAll((rows) => rows.map((one) => Number(one.getAttribute('aria-level'))));
    assert.deepEqual(
      levels,
      spans.map(({ depth }) => depth + 1),
    );
    await watched.page.locator('.timeline .row').first().click();
    await watched.page.keyboard.press('ArrowLeft');
    assert.equal(await watched.page.locator('.timeline .row').count(), 1);
    await watched.page.keyboard.press('ArrowRight');
    assert.equal(await watched.page.locator('.timeline .row').count(), spans.length);
    const path = await watched.page.getAttribute('.critical-thread', 'd');
    assert.ok(path && path.length > 20, 'the critical path is drawn');
  });

  it('shows attributes, an error with its message, and finds requests by an attribute', async () => {
    await open(find(({ name, error }) => error && name === 'GET /reports'));
    await watched.page.locator('.timeline .row', { hasText: 'SELECT reports' }).first().click();
    const detail = await watched.page.locator('.detail').innerText();
    assert.match(detail, /client · shop/);
    assert.match(detail, /db\.system\.name\s+postgresql/);
    assert.match(detail, /✕ Failed/);
    assert.match(detail, /42P01/, 'the status of PostgreSQL');
    assert.match(watched.page.url(), /span=[0-9a-f]{16}/);
    await watched.page.click('[aria-label="Find requests with this db.response.status_code"]');
    await watched.page.waitForSelector('.list .row');
    const search = await watched.page.inputValue('.search-field');
    assert.equal(search, 'db.response.status_code=42P01');
    await watched.page.waitForSelector('.list[aria-busy=false]');
    for (const text of await watched.texts('.list .row .c-name')) assert.match(text, /reports/);
  });

  it('shows what a request waited for as threads, with the blocker named in the gap', async () => {
    const row = find(isHeldUp);
    await open(row, 'threads');
    const names = (await watched.texts('.threads .row .span-name')).join(', ');
    assert.match(names, /timer/);
    assert.match(names, /fs/);
    assert.ok((await watched.page.locator('.branch').count()) >= 3, 'triggers are drawn');
    const gaps = (await watched.page.locator('.gap text').allTextContents()).join(', ');
    assert.match(gaps, /GET \/report/);
    await watched.page.locator('.threads .row').first().click();
    const detail = await watched.page.locator('.thread-detail').innerText();
    assert.match(detail, /GET \/report held the loop for/);
    await watched.page.click('text=Show its span');
    await watched.page.waitForSelector('.detail');
  });

  it('shows the events of a span, and opens the request that a link leads to', async () => {
    await open(find(({ error, name }) => error && name === 'GET /reports'));
    await watched.page.locator('.timeline .row', { hasText: 'SELECT reports' }).first().click();
    assert.match(await watched.page.locator('.detail').innerText(), /does not exist/);
    const held = find(isHeldUp);
    await open(held);
    await watched.page.locator('.timeline .row').first().click();
    await watched.page.locator('.detail .links .link').first().click();
    await watched.until('the request that held the loop', async () => {
      const url = watched.page.url();
      return url.includes('/trace/') && !url.includes(held.traceId);
    });
    assert.match(await watched.page.locator('h1').innerText(), /GET.*\/report/);
  });

  it('shows where a request lost its time against the typical one', async () => {
    await open(find(isHeldUp), 'compare');
    const verdict = await watched.page.locator('.verdict').innerText();
    assert.match(verdict, /typical GET \/orders \(the median of \d+ others?\)/);
    assert.equal(await watched.page.locator('.beside').count(), 2);
    assert.ok((await watched.page.locator('.operations tbody tr').count()) >= 2);
  });

  it('names a finding beside the span it concerns, and lists all of them', async () => {
    const lost = find(({ findings, name }) => findings > 0 && name === 'GET /letters');
    await open(lost);
    await watched.page.keyboard.press('e');
    const name = await watched.page.locator('.detail .finding-name').innerText();
    assert.match(name, /^CLEW-LOST-/);
    await watched.page.click('.finding-button');
    await watched.page.waitForSelector('.findings-page .finding');
    await watched.page.locator('.finding-spans .link').first().click();
    await watched.page.waitForSelector('.detail .finding-name');
  });

  it('is one file that shows the same without a server', async () => {
    const response = await fetch(new URL('clew/html', world.viewer.pageUrl));
    const folder = mkdtempSync(join(tmpdir(), 'clew-html-'));
    const file = join(folder, 'out.html');
    writeFileSync(file, await response.text());
    const listed = await watched.page.locator('.list-count').innerText();
    try {
      await WatchedPage.use(browser, pathToFileURL(file).href, async (saved) => {
        const { page } = saved;
        await page.waitForSelector('.list .row');
        assert.equal(await page.locator('.list-count').innerText(), listed);
        await page.fill('.search-field', 'url.path=/orders');
        await page.waitForSelector('.list[aria-busy=false]');
        for (const text of await saved.texts('.list .row .c-name')) assert.match(text, /orders/);
        await page.locator('.list .row').first().click();
        await page.waitForSelector('.timeline .row');
        await page.keyboard.press('2');
        await page.waitForSelector('.threads .row');
        await page.keyboard.press('3');
        await page.waitForSelector('.compare');
      });
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
