import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

import type { Browser } from 'playwright-core';

import { requireBrowser, WatchedPage } from './support/browser.ts';
import { attributes, exportRequest, START_MS, TraceMaker } from './support/made-traces.ts';
import { send, startPage } from './support/real-application.ts';

/** What has run as script in pages that trusted their data; each would set `globalThis.hacked`. */
const CORPUS = [
  '<script>globalThis.hacked=1</script>',
  '</script><script>globalThis.hacked=1</script>',
  '<img src=x onerror="globalThis.hacked=1">',
  '"><svg onload=globalThis.hacked=1>',
  "' onmouseover='globalThis.hacked=1",
  'javascript:globalThis.hacked=1',
  '<iframe srcdoc="<script>parent.hacked=1</script>">',
  '<a href="javascript:globalThis.hacked=1">x</a>',
  '<style>@import "http://127.0.0.1:9/x.css";</style>',
  '<link rel=stylesheet href=http://127.0.0.1:9/x.css>',
  '<meta http-equiv=refresh content="0;url=javascript:globalThis.hacked=1">',
  '{{constructor.constructor("globalThis.hacked=1")()}}',
  '${globalThis.hacked=1}',
  '<!--<script>',
  ']]><script>globalThis.hacked=1</script>',
  '\u2028globalThis.hacked=1\u2029',
  '<math><mtext></form><form><mglyph><style></math><img src onerror=globalThis.hacked=1>',
  '&lt;script&gt;globalThis.hacked=1&lt;/script&gt;',
  "$&$`$'$$",
  '__proto__',
  '\u202egnirts \u0000\u0007\u001b[31m',
  '𝕏'.repeat(2000),
];

describe('the page: values from spans are text and nothing else', function () {
  this.timeout(180_000);
  let browser: Browser;
  let viewer: Awaited<ReturnType<typeof startPage>>;

  before(async function () {
    browser = await requireBrowser(this);
    viewer = await startPage();
    for (const [index, text] of CORPUS.entries()) {
      const trace = new TraceMaker(0x500 + index, START_MS + index);
      const root = trace.span(text, {
        at: 0,
        ms: 10,
        kind: 2,
        attributes: {
          'url.path': text,
          'http.response.status_code': text,
          'clew.blocked_by': text,
          'clew.blocked_by.ms': 3,
        },
        parts: [1, 5, 4],
        error: text,
      });
      const child = trace.span(text, {
        at: 1,
        ms: 5,
        parent: root,
        kind: 3,
        attributes: {
          [text]: text,
          'clew.async_resource.id': 7,
          'clew.async_resource.type': text,
          'clew.async_resource.description': text,
          'clew.async_resource.created_at': text,
          'clew.context_loss': text,
        },
        parts: [1, 2, 2],
      });
      child.links = [
        { traceId: text, spanId: text, attributes: attributes({ 'clew.link': text }) },
        { traceId: trace.traceId, spanId: root.spanId, attributes: attributes({ [text]: text }) },
      ];
      child.events = [
        {
          name: 'exception',
          timeUnixNano: trace.nanos(2),
          attributes: attributes({
            'exception.type': text,
            'exception.message': text,
            'exception.stacktrace': text,
            [text]: text,
          }),
        },
      ];
      await send(viewer.otlpUrl, exportRequest(trace.spans, text)).catch((error: unknown) => {
        // Links whose ids are none may be refused; the span without them has to be shown.
        assert.match(String(error), /400/);
        child.links = [];
        return send(viewer.otlpUrl, exportRequest(trace.spans, text));
      });
    }
  });
  after(() => viewer?.stop());

  /** Looks at everything the page shows of each trace. */
  async function lookAround(watched: WatchedPage): Promise<void> {
    const { page } = watched;
    await page.waitForSelector('.list .row');
    const { requests } = viewer.viewer.requests(new URLSearchParams({ limit: '1000' }));
    assert.equal(requests.length, CORPUS.length);
    for (const { traceId } of requests) {
      await watched.goTo(`/trace/${traceId}`, '.timeline .row');
      await page.keyboard.press('e');
      await page.keyboard.press('e');
      await page.waitForSelector('.detail');
      await page.keyboard.press('2');
      await page.waitForSelector('.threads .row');
      await page.locator('.threads .row').last().click();
      await page.waitForSelector('.thread-detail');
    }
    await watched.goTo('/', '.list .row');
    for (const text of CORPUS.slice(0, 6)) {
      await page.fill('.search-field', text);
      await page.waitForSelector('.list[aria-busy=false]');
    }
    const hacked = await page.evaluate(() => (globalThis as { hacked?: unknown }).hacked);
    assert.equal(hacked, undefined);
    const foreign = await page.locator('#page :is(script, iframe, img, link, meta, style)').count();
    assert.equal(foreign, 0);
  }

  it('runs nothing and asks for nothing, served by the viewer', () =>
    WatchedPage.use(browser, viewer.pageUrl, async (watched) => {
      await lookAround(watched);
      // The names are shown as they are: those of the newest, which are in sight.
      await watched.page.fill('.search-field', '');
      await watched.page.waitForSelector('.list[aria-busy=false]');
      const shown = (await watched.page.locator('.list .name').allTextContents()).join('\n');
      for (const text of CORPUS.slice(4, 12)) assert.ok(shown.includes(text), text);
    }));

  it('runs nothing and asks for nothing, as one file', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'clew-hostile-'));
    const file = join(folder, 'out.html');
    const response = await fetch(new URL('clew/html', viewer.pageUrl));
    writeFileSync(file, await response.text());
    try {
      await WatchedPage.use(browser, pathToFileURL(file).href, lookAround);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
