import assert from 'node:assert/strict';

import { summaryLines } from '../../src/cli/run-summary.ts';
import type { NameTotals } from '../../src/tracer/request-totals.ts';

const LONG = 'GET /api/v1/customers/:customerId/orders/:orderId/items';

describe('the summary of clew run', () => {
  const totals = (name: string, failed = 0): NameTotals => ({
    name,
    count: 4,
    totalMs: 400,
    maxMs: 250,
    parts: { runningMs: 40, ioMs: 200, loopMs: 160 },
    ...(failed > 0 ? { failed } : {}),
  });
  const lines = (columns: number, ...names: NameTotals[]): string[] =>
    summaryLines({ requests: 8, names, otherRequests: 0, slowest: [] }, 1, columns);

  it('folds a name that is too long, and shows all of it', () => {
    assert.deepEqual(lines(80, totals('GET /orders'), totals(LONG)), [
      '8 requests in 1.0 s, by name',
      'count  mean ms   max ms  run %  I/O % loop %  request',
      '    4    100.0    250.0     10     50     40  GET /orders',
      '    4    100.0    250.0     10     50     40  GET /api/v1/customers',
      `${' '.repeat(46)}/:customerId/orders/:orderId`,
      `${' '.repeat(46)}/items`,
    ]);
  });

  it('gives each name lines of its own in a narrow terminal', () => {
    assert.deepEqual(lines(40, totals(LONG, 2)), [
      '8 requests in 1.0 s, by name',
      'GET /api/v1/customers/:customerId',
      '/orders/:orderId/items',
      '  4 × 100.0 ms, at most 250.0',
      '  run 10 %, I/O 50 %, loop 40 %',
      '  ERROR 2',
    ]);
  });

  it('never prints a line that is wider than the terminal, whatever the name', () => {
    const names = [LONG, `GET /${'x'.repeat(300)}`, '/'.repeat(90), 'a b '.repeat(40)];
    for (const columns of [38, 40, 60, 80, 120]) {
      for (const line of lines(columns, ...names.map((name) => totals(name, 1)))) {
        assert.ok(`clew: ${line}`.length <= columns, `${columns}: ${line}`);
      }
    }
  });

  it('names the request in which the process ended', () => {
    const names = [totals('GET /orders', 1)];
    const endedProcess = [{ name: `GET /${'x'.repeat(60)}` }, { name: 'GET /orders' }];
    const all = { requests: 4, names, otherRequests: 0, slowest: [], endedProcess };
    assert.deepEqual(summaryLines(all, 1, 60).slice(-3), [
      `GET /${'x'.repeat(49)}`,
      'xxxxxxxxxxx ended the process',
      'GET /orders ended the process',
    ]);
  });

  describe('of many names', () => {
    const many = (count: number): NameTotals[] =>
      Array.from({ length: count }, (_, index) => totals(`GET /${index}`));

    it('shows those that failed, whatever time they took', () => {
      const shown = lines(80, ...many(9), totals('GET /boom', 1), totals('GET /throw', 2));
      assert.match(shown[1]!, /ERROR {2}request$/);
      assert.deepEqual(
        shown.slice(2).map((line) => line.split(' ').at(-1)),
        [...[0, 1, 2, 3, 4, 5].map((index) => `/${index}`), '/boom', '/throw', 'names'],
      );
      assert.equal(shown.at(-1), 'and 12 of other names');
    });

    it('counts the failures of those that it does not show', () => {
      const failing = many(11).map((one) => ({ ...one, failed: 1 }));
      assert.equal(lines(80, ...failing).at(-1), 'and 12 of other names, ERROR 3');
    });

    it('shows one more in place of the line that would count it', () => {
      assert.equal(lines(80, ...many(9)).length, 2 + 9);
    });
  });
});
