import assert from 'node:assert/strict';

import { JaegerQuery, kinshipFaultsOf, type JaegerSpan } from '../support/jaeger-query.ts';
import { startJaeger, type Jaeger } from '../support/jaeger.ts';
import { requireService, skipSuite } from '../support/services.ts';
import { Shop } from './shop.ts';

const ORDER = ['BEGIN', 'COMMIT', 'INSERT orders', 'POST /orders/:id/:quantity', 'UPDATE products'];
const LIST = ['GET /products', 'SELECT products'];
const READ = ['GET /products/:id', 'SELECT products'];
const REPORT = ['GET /reports', 'SELECT reports'];
/** The traces of one play of the demo, by the names of their spans. */
const PLAY = [LIST, ORDER, REPORT, READ, READ, READ, LIST, ORDER, READ];

describe('the demo across a restart of a real Jaeger', function () {
  this.timeout(120_000);
  let jaeger: Jaeger;
  let query: JaegerQuery;
  let traces: Map<string, JaegerSpan>[];

  before(async function () {
    const databaseUrl = await requireService(this, 'postgresql', { embedded: true });
    await requireService(this, 'jaeger');
    // That one has other users, and is not restarted under them.
    const started = await startJaeger();
    if (typeof started === 'string') skipSuite(this, `jaeger to restart: ${started}`);
    jaeger = started;
    query = new JaegerQuery(jaeger.queryUrl);
    const shop = await Shop.start(databaseUrl, jaeger.otlpUrl);
    let requests = await shop.play();
    await jaeger.restart(async () => {
      requests += await shop.play();
    });
    requests += await shop.play();
    await shop.stop();
    const ids = await query.waitForTraces('shop', requests);
    traces = await Promise.all(ids.map((id) => query.waitForTrace(id, 2)));
  });

  after(async () => jaeger?.stop());

  it('shows every span once', () => {
    const names = traces.map((spans) =>
      [...spans.values()]
        .map(({ name }) => name)
        .sort()
        .join(),
    );
    const expected = [...PLAY, ...PLAY, ...PLAY].map((trace) => trace.join());
    assert.deepEqual(names.sort(), expected.sort());
  });

  it('shows every span under its parent, one SERVER root in each trace', () => {
    for (const spans of traces) assert.deepEqual(kinshipFaultsOf(spans), []);
  });

  it('warns of nothing', async () => {
    for (const spans of traces) {
      const [first] = spans.values();
      assert.deepEqual(await query.warningsOf(first?.traceId ?? ''), []);
    }
  });
});
