import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import type { Browser } from 'playwright-core';

import { fixture, RunningNode } from '../support/run-node.ts';
import { requireService } from '../support/services.ts';
import { drop, requireBrowser, WatchedPage } from './support/browser.ts';
import { exportRequest, START_MS, TraceMaker } from './support/made-traces.ts';
import {
  findRequest,
  isHeldUp,
  send,
  startPage,
  until,
  visitedWorld,
  visitWorkshop,
  type World,
} from './support/real-application.ts';

const CLI = fileURLToPath(new URL('../../src/cli/main.js', import.meta.url));

describe('the page: the list of requests of real applications', function () {
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

  const names = (): Promise<string[]> => watched.texts('.list .row .c-name');
  const search = async (text: string): Promise<void> => {
    await watched.page.fill('.search-field', text);
    await counted();
  };
  /** Waits until the list shows what the viewer finds for the parameters in the address. */
  const counted = async (): Promise<void> => {
    await watched.page.waitForSelector('.list[aria-busy=false]');
  };

  it('is headed by the address at which it was opened', async () => {
    const { port } = new URL(world.viewer.pageUrl);
    for (const host of [`127.0.0.1:${port}`, `localhost:${port}`]) {
      const opened = await WatchedPage.open(browser, `http://${host}/`);
      try {
        await opened.page.waitForSelector('.list .row');
        assert.deepEqual(await opened.texts('.where-name'), [host]);
        const title = await opened.page.getAttribute('.where-name', 'title');
        assert.equal(title, `Spans are received at ${world.viewer.otlpUrl}`);
      } finally {
        await opened.close();
      }
    }
  });

  it('shows every request once, with its parts, its status and who held it', async () => {
    const { traces } = world.viewer.viewer.summary();
    const count = await watched.page.locator('.list-count').innerText();
    assert.equal(count, `${traces} requests`);
    await search('/reports');
    const shown = await watched.texts('.list .row');
    assert.ok(
      shown.some((row) => /\/reports[\s\S]*✕ 500/.test(row)),
      shown.join('\n'),
    );
    const held = findRequest(world.viewer, isHeldUp);
    assert.ok(held);
    const row = watched.page.locator(`#request-${held.traceId}`);
    await search(`url.path=/orders duration>${held.durationMs} duration<${held.durationMs}`);
    assert.match(await row.innerText(), /\/orders[\s\S]*GET \/report\s+\d/, 'the blocker is named');
    const parts = await row.locator('.c-bar').getAttribute('aria-label');
    assert.match(parts ?? '', /running .* waiting for I\/O .* waiting for the loop/);
  });

  it('finds by service, operation, attribute, duration, failure and text', async () => {
    const only = async (text: string, pattern: RegExp): Promise<void> => {
      await search(text);
      const found = await names();
      assert.ok(found.length > 0, `${text} finds nothing`);
      for (const name of found) assert.match(name, pattern, text);
    };
    await only('service:shop', /products|orders|reports/);
    await only('operation:"SELECT products"', /products/);
    await only('db.system.name=postgresql', /products|orders|reports/);
    await only('error service:workshop', /broken/);
    await only('stock = stock', /POST|orders/);
    await search('duration>100000');
    assert.deepEqual(await names(), []);
    await search('');
    await watched.page.selectOption('select[aria-label="Service"]', 'workshop');
    await counted();
    assert.equal(await watched.page.inputValue('.search-field'), 'service:workshop');
    for (const name of await names()) assert.doesNotMatch(name, /products/);
  });

  it('opens a request that is clicked in the scatter, and Back leads back', async () => {
    const box = await watched.page.locator('.plot-area').first().boundingBox();
    assert.ok(box);
    // Dots are somewhere: the pointer goes over the area until one answers.
    const area = watched.page.locator('.plot-area').first();
    for (let x = 4; x < box.width; x += 12) {
      for (let y = 4; y < box.height; y += 12) {
        await watched.page.mouse.move(box.x + x, box.y + y);
        if ((await area.getAttribute('class'))?.includes('pointing')) {
          await watched.page.mouse.down();
          await watched.page.mouse.up();
          await watched.page.waitForSelector('.trace-head h1');
          await watched.page.goBack();
          await watched.page.waitForSelector('.list .row');
          return;
        }
      }
    }
    assert.fail('no dot was found');
  });

  it('narrows the list to what is brushed in either chart, and lets go with Esc', async () => {
    const all = (await watched.page.locator('.list-count').innerText()).trim();
    for (const chart of ['.plot-area >> nth=0', '[data-chart=pending]']) {
      await watched.drag(chart, [0.02, 0.05], [0.3, 0.95]);
      await watched.page.waitForSelector('.chip');
      await counted();
      const some = (await watched.page.locator('.list-count').innerText()).trim();
      assert.notEqual(some, all, chart);
      assert.match(watched.page.url(), /from=\d+/);
      await watched.page.keyboard.press('Escape');
      await watched.page.waitForSelector('.chip', { state: 'detached' });
      await counted();
      assert.equal((await watched.page.locator('.list-count').innerText()).trim(), all);
    }
  });

  it('is used without a pointer: search, lines, help', async () => {
    const { page } = watched;
    await page.keyboard.press('/');
    await page.keyboard.type('service:shop');
    await counted();
    await page.keyboard.press('Escape');
    await page.keyboard.press('j');
    await page.keyboard.press('j');
    await page.keyboard.press('k');
    const current = await page.locator('.row.current .c-name').innerText();
    assert.equal(current, (await names())[0]);
    await page.keyboard.press('Enter');
    await page.waitForSelector('.trace-head h1');
    assert.match(await page.locator('.trace-head h1').innerText(), /GET|POST/);
    await page.keyboard.press('Escape');
    await page.waitForSelector('.list .row');
    assert.equal(await page.locator('.row.current .c-name').innerText(), current);
    await page.keyboard.press('?');
    await page.waitForSelector('dialog[open]');
    await page.keyboard.press('Escape');
    await page.waitForSelector('dialog[open]', { state: 'detached' });
    const theme = () => page.getAttribute('html', 'data-theme');
    assert.equal(await theme(), 'light');
    await page.keyboard.press('t');
    assert.equal(await theme(), 'dark');
  });
});

describe('the page: live updates and files', function () {
  this.timeout(120_000);
  let browser: Browser;
  let viewer: Awaited<ReturnType<typeof startPage>>;

  before(async function () {
    browser = await requireBrowser(this);
  });

  beforeEach(async () => {
    viewer = await startPage();
  });
  afterEach(() => viewer.stop());

  it('lets requests in as they arrive, and holds them back while the list is in use', () =>
    WatchedPage.use(browser, viewer.pageUrl, async (watched) => {
      const { page } = watched;
      await page.waitForSelector('.empty');
      const workshop = await visitWorkshop(viewer.otlpUrl);
      const line = page.locator('.list .row').nth(2);
      await line.waitFor();
      // The spans of the first round are in: nothing of it is still to come.
      await watched.until('the first round', () =>
        Promise.resolve(findRequest(viewer, ({ name }) => name === 'GET /letters') !== undefined),
      );
      await watched.until('a list that has come to rest', async () => {
        const count = await page.locator('.list .row').count();
        await page.waitForTimeout(300);
        return count === (await page.locator('.list .row').count());
      });
      await line.hover();
      const before = await watched.texts('.list .row .c-name');
      const top = (await line.boundingBox())?.y;
      await workshop.ask('GET /broken');
      await page.waitForSelector('.pill');
      assert.deepEqual(await watched.texts('.list .row .c-name'), before);
      assert.equal((await line.boundingBox())?.y, top);
      await page.click('.pill');
      await page.waitForSelector('.pill', { state: 'detached' });
      const after = await watched.texts('.list .row .c-name');
      assert.ok(after.length > before.length);
      assert.ok(after.some((name) => name.includes('/broken')));
      await workshop.stop();
    }));

  it('reads a file that is opened, and names what it cannot read', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'clew-page-'));
    const trace = new TraceMaker(1, START_MS);
    trace.span('GET /from-a-file', { at: 0, ms: 12, kind: 2 });
    const early = new TraceMaker(3, START_MS);
    early.span('SELECT version', { at: 0, ms: 1, kind: 3 });
    const spans = exportRequest([...trace.spans, ...early.spans]);
    writeFileSync(join(folder, 'spans.json'), JSON.stringify(spans));
    writeFileSync(join(folder, 'picture.json'), 'GIF89a');
    try {
      await WatchedPage.use(browser, viewer.pageUrl, async (watched) => {
        const { page } = watched;
        await page.setInputFiles('input[type=file]', join(folder, 'spans.json'));
        await page.waitForSelector('.list .row');
        assert.deepEqual(await watched.texts('.list .row .name'), ['GET /from-a-file']);
        const count = await page.locator('.list-count').innerText();
        assert.equal(count, '1 request; 1 outside of any left out');
        await page.getByLabel('outside requests').check();
        await page.locator('.list .row').nth(1).waitFor();
        await page.getByLabel('outside requests').uncheck();
        await page.locator('.list .row').nth(1).waitFor({ state: 'detached' });
        watched.forgive(/status of 400/);
        await page.setInputFiles('input[type=file]', join(folder, 'picture.json'));
        const problem = await page.locator('[role=alert]').innerText();
        assert.match(problem, /Cannot read picture\.json: .*neither a \.clew recording/);
      });
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('shows a recording that is dropped on it, with the callbacks of each thread', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'clew-drop-'));
    try {
      const file = join(folder, 'one.clew');
      const app = new RunningNode(
        [CLI, 'record', '--requests', '2', '--out', file, fixture('waiting-app.mjs')],
        { env: { OTEL_TRACES_EXPORTER: 'none' } },
      );
      const [, port, pid] = await app.waitFor(/^(\d+) (\d+)$/m);
      const ask = (path: string): Promise<Response> => fetch(`http://127.0.0.1:${port}${path}`);
      await Promise.all([ask('/idle'), ask('/block')]);
      await until('the recording', () => app.stderr.includes('recorded 2'));
      process.kill(Number(pid), 'SIGTERM');
      await app.result();
      await WatchedPage.use(browser, viewer.pageUrl, async (watched) => {
        const { page } = watched;
        await page.waitForSelector('.empty');
        await drop(page, 'one.clew', readFileSync(file));
        await page.waitForSelector('.list .row');
        const row = page.locator('.list .row', { hasText: '/block' });
        await row.click();
        await page.waitForSelector('.trace-head .trace-parts');
        await page.keyboard.press('2');
        await page.waitForSelector('.thread-run');
        const legend = await page.locator('.thread-legend').innerText();
        assert.doesNotMatch(legend, /estimate/);
      });
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('shows that the viewer is gone, and keeps what it has', async () => {
    const trace = new TraceMaker(2);
    trace.span('GET /', { at: 0, ms: 1 });
    await send(viewer.otlpUrl, exportRequest(trace.spans));
    await WatchedPage.use(browser, viewer.pageUrl, async (watched) => {
      await watched.page.waitForSelector('.list .row');
      watched.forgive(/ERR_/);
      await viewer.stop();
      await watched.page.waitForSelector('.state-off');
      assert.equal(await watched.page.locator('.list .row').count(), 1);
    });
    viewer = await startPage();
  });
});
