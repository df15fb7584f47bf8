import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import type { Browser } from 'playwright-core';

import { startViewer } from '../../src/cli/view/start.ts';
import { requireBrowser, WatchedPage } from './support/browser.ts';
import { exportRequest, TraceMaker } from './support/made-traces.ts';
import { send } from './support/real-application.ts';

/*
 * Files laid out as the build of Jaeger's page lays them out: a base path, scripts and styles within
 * the HTML, and assets with hashes in their names below `static/`, which ask the API.
 */
const HTML = `<!doctype html>
<html lang="en">
  <head>
    <meta charset="UTF-8" />
    <base href="/" data-inject-target="BASE_URL" />
    <link rel="icon" href="./static/logo-ab65f618.svg" />
    <title>Jaeger UI</title>
    <style>#root { padding: 1px }</style>
    <script>
      function getJaegerConfig() { const DEFAULT_CONFIG = null; return DEFAULT_CONFIG; }
    </script>
    <script type="module" src="./static/index-3f2a9c1e.js"></script>
    <link rel="stylesheet" href="./static/index-77d0a1b2.css" />
  </head>
  <body><div id="root"></div></body>
</html>`;
const SCRIPT = `import { text } from './vendor-0c1d2e3f.js';
const get = async (path) => (await fetch(path)).json();
const now = new Date(Date.now() + 60000).toISOString();
const query = 'query.service_name=shop&query.start_time_min=2026-01-01T00:00:00.000Z' +
  '&query.start_time_max=' + now;
const { services } = await get('/api/v3/services');
const { summaries } = await get('/api/v3/trace-summaries?' + query);
const { data } = await get('/api/traces/' + summaries[0].traceId);
const root = document.getElementById('root');
root.innerHTML = '<img src="./static/logo-ab65f618.svg" alt="">';
root.append(text([getJaegerConfig(), services, data[0].spans.length, location.pathname]));
root.className = 'done';`;

describe('the files of a Jaeger UI, served by the viewer (--jaeger-ui)', function () {
  this.timeout(120_000);
  let browser: Browser;
  let folder: string;

  before(async function () {
    browser = await requireBrowser(this);
    folder = mkdtempSync(join(tmpdir(), 'clew-jaeger-ui-'));
    mkdirSync(join(folder, 'static'));
    const write = (name: string, text: string): void => writeFileSync(join(folder, name), text);
    write('index.html', HTML);
    write('static/index-3f2a9c1e.js', SCRIPT);
    write('static/vendor-0c1d2e3f.js', 'export const text = (value) => JSON.stringify(value);');
    write('static/index-77d0a1b2.css', '#root { color: rgb(1, 2, 3); }');
    write('static/logo-ab65f618.svg', '<svg xmlns="http://www.w3.org/2000/svg"/>');
  });
  after(() => folder && rmSync(folder, { recursive: true }));

  it('run at each of their paths, ask the API, and leave the page at its own', async () => {
    const viewer = await startViewer({ files: [], port: 0, otlpPort: 0, jaegerUi: folder });
    try {
      const trace = new TraceMaker(1, Date.now() - 1000);
      trace.span('GET /', { at: 0, ms: 5, kind: 2 });
      await send(viewer.otlpUrl ?? '', exportRequest(trace.spans));
      for (const path of ['search', `trace/${trace.traceId}`]) {
        await WatchedPage.use(browser, viewer.pageUrl + path, async ({ page }) => {
          await page.waitForSelector('#root.done');
          const shown = await page.locator('#root').innerText();
          assert.equal(shown, JSON.stringify([null, ['shop'], 1, `/${path}`]));
          const colour = await page.evaluate('getComputedStyle(document.body.firstChild).color');
          assert.equal(colour, 'rgb(1, 2, 3)');
        });
      }
      await WatchedPage.use(browser, viewer.pageUrl, async ({ page }) => {
        await page.waitForSelector('.list .row');
      });
    } finally {
      await viewer.stop();
    }
  });
});
