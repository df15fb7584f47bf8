import assert from 'node:assert/strict';

import type { Browser } from 'playwright-core';

import { otlp, traceId, type TestSpan } from '../viewer/support/spans.ts';
import { requireBrowser, WatchedPage } from './support/browser.ts';
import { startPage } from './support/real-application.ts';

/** The parts of a span that waited for the loop, while it ran itself. */
const HELD = {
  'clew.run.ms': 30,
  'clew.wait.io.ms': 10,
  'clew.wait.loop.ms': 20,
  'clew.blocked_by': 'GET /report',
  'clew.blocked_by.ms': 20,
  'clew.run.at': [5000, 20_000, 40_000, 55_000],
};
const TYPED = { 'clew.async_resource.id': 7, 'clew.async_resource.type': 'Timeout' };

describe('the page: how threads, the waterfall and the controls are drawn', function () {
  this.timeout(120_000);
  let browser: Browser;
  let viewer: Awaited<ReturnType<typeof startPage>>;

  before(async function () {
    browser = await requireBrowser(this);
    viewer = await startPage();
    const request = (trace: string, ...more: TestSpan[]): TestSpan[] => [
      { id: '1', trace, name: 'GET /idle', end: 60, attributes: HELD },
      ...more.map((span) => ({ ...span, trace, parent: '1' })),
    ];
    const query = { id: '2', name: 'SELECT', start: 20, end: 30 };
    const spans = [
      ...request('a1'),
      ...request('a2', query),
      ...request('a3', query, { id: '3', name: 'timer', start: 2, end: 4, attributes: TYPED }),
    ];
    const response = await fetch(`${viewer.otlpUrl}/v1/traces`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(otlp(...spans)),
    });
    assert.equal(response.status, 200);
  });
  after(() => viewer?.stop());

  const open = async (
    hash: string,
    selector: string,
    use: (watched: WatchedPage) => Promise<void>,
    width = 1280,
  ): Promise<void> => {
    const watched = await WatchedPage.open(browser, viewer.pageUrl, { width });
    try {
      await watched.goTo(hash, selector);
      await use(watched);
    } finally {
      await watched.close();
    }
  };

  it('draws no wait for the loop over what ran', () =>
    open(`/trace/${traceId('a1')}?view=threads`, '.gap rect', async ({ page }) => {
      const boxes = (selector: string): Promise<[number, number][]> =>
        page.locator(selector).evaluateAll((all) =>
          all.map((one) => {
            const { left, right } = one.getBoundingClientRect();
            return [left, right] as [number, number];
          }),
        );
      const [runs, gaps] = [await boxes('.thread-run'), await boxes('.gap rect')];
      assert.equal(runs.length, 2);
      assert.ok(gaps.length > 0);
      for (const [left, right] of gaps) {
        for (const [from, to] of runs) {
          assert.ok(right <= from + 2 || left >= to - 2, JSON.stringify({ runs, gaps }));
        }
      }
    }));

  it('says what the lines are, and what shows more where there is only the request', async () => {
    const title = async (trace: string): Promise<string[]> => {
      let texts: string[] = [];
      await open(`/trace/${traceId(trace)}?view=threads`, '.threads .row', async (watched) => {
        texts = [
          ...(await watched.texts('.threads [role=columnheader].timeline-names')),
          ...(await watched.texts('.thread-legend')),
        ];
      });
      return texts;
    };
    const [alone = '', legend = ''] = await title('a1');
    assert.equal(alone, 'the request alone');
    assert.match(legend, /Nothing below the request was recorded: CLEW_RESOURCE_SPANS=1/);
    assert.doesNotMatch(legend, /lost/);
    const [operation = '', told = ''] = await title('a2');
    assert.equal(operation, '1 operation');
    assert.doesNotMatch(told, /Nothing below/);
    assert.equal((await title('a3'))[0], '2 groups of async resources');
  });

  it('explains in the waterfall what the parts of a bar tell, and the critical path', () =>
    open(`/trace/${traceId('a2')}`, '.timeline .row', async (watched) => {
      const [legend = ''] = await watched.texts('.bar-legend');
      assert.match(legend, /not measured.*critical path.*how long, not when/s);
    }));

  it('has every control of the search in sight at 400 pixels', () =>
    open(
      '/',
      '.list .row',
      async ({ page }) => {
        const controls = page.locator('.facets select, .facets input, .search-field');
        const edges = await controls.evaluateAll((all) =>
          all.map((one) => {
            const { left, right } = one.getBoundingClientRect();
            return [left, right];
          }),
        );
        assert.ok(edges.length >= 6);
        for (const [left = -1, right = 0] of edges) {
          assert.ok(left >= 0 && right <= 400, JSON.stringify(edges));
        }
      },
      400,
    ));
});
