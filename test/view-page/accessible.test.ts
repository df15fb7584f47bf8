import assert from 'node:assert/strict';
import { mkdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import type { Browser } from 'playwright-core';

import { requireBrowser, WatchedPage, type Scheme } from './support/browser.ts';
import { exportRequest, shopTraces } from './support/made-traces.ts';
import { findRequest, send, startPage } from './support/real-application.ts';

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
/** Pictures of all views, to be looked at; not kept. */
const PICTURES = fileURLToPath(new URL('../../pictures/', import.meta.url));

interface Violation {
  id: string;
  help: string;
  nodes: { html: string; failureSummary: string }[];
}

describe('the page: roles, names, contrast and width', function () {
  this.timeout(240_000);
  let browser: Browser;
  let viewer: Awaited<ReturnType<typeof startPage>>;
  const views: [name: string, hash: string, selector: string, keys: string[]][] = [];

  before(async function () {
    browser = await requireBrowser(this);
    mkdirSync(PICTURES, { recursive: true });
    viewer = await startPage();
    await send(viewer.otlpUrl, exportRequest(shopTraces(400)));
    const failed = findRequest(viewer, ({ error }) => error)?.traceId ?? '';
    const held = findRequest(viewer, ({ blockedBy }) => (blockedBy?.ms ?? 0) > 40)?.traceId ?? '';
    const lost = findRequest(viewer, ({ findings }) => findings > 0)?.traceId ?? '';
    views.push(
      ['list', '/', '.list .row', ['j', 'j']],
      ['nothing-found', '/?q=duration%3E99999', '.list-count', []],
      ['waterfall', `/trace/${failed}`, '.timeline .row', ['e', 'e']],
      ['threads', `/trace/${held}?view=threads`, '.threads .row', ['j']],
      ['lost', `/trace/${lost}?view=threads`, '.threads .row', []],
      ['compare', `/trace/${held}?view=compare`, '.operations', []],
      ['findings', '/findings', '.finding', []],
      ['help', '/', '.list .row', ['?']],
    );
  });
  after(() => viewer?.stop());

  // Colours are all that differs between the schemes, and rules take their time.
  for (const [width, scheme, rules] of [
    [1280, 'light', undefined],
    [1280, 'dark', ['color-contrast']],
    [400, 'light', ['color-contrast', 'target-size']],
    [400, 'dark', undefined],
  ] as [number, Scheme, string[] | undefined][]) {
    it(`finds no violation at ${width} pixels in ${scheme}, and nothing is wider than that`, async () => {
      const watched = await WatchedPage.open(browser, viewer.pageUrl, { width, scheme });
      const { page } = watched;
      const found: string[] = [];
      for (const [name, hash, selector, keys] of views) {
        await watched.goTo(hash, selector);
        for (const key of keys) await page.keyboard.press(key);
        await page.waitForTimeout(50);
        await page.screenshot({ path: join(PICTURES, `${name}-${width}-${scheme}.png`) });
        const scrolls = await page.evaluate<number>('document.documentElement.scrollWidth');
        if (scrolls > width) found.push(`${name} is ${scrolls} pixels wide`);
        await page.evaluate(AXE);
        const { violations } = await page.evaluate<{ violations: Violation[] }>(
          `axe.run(document, ${JSON.stringify({ resultTypes: ['violations'], ...(rules && { runOnly: rules }) })})`,
        );
        for (const { id, help, nodes } of violations) {
          found.push(`${name}: ${id}: ${help}: ${nodes[0]?.failureSummary} ${nodes[0]?.html}`);
        }
      }
      assert.deepEqual(found, []);
      await watched.close();
    });
  }
});
