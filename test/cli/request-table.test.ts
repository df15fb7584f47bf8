import assert from 'node:assert/strict';

import { renderRequests } from '../../src/cli/view/one-line.ts';
import type { RequestRow } from '../../src/viewer/model.ts';

const LONG = 'GET /api/v1/customers/:customerId/orders/:orderId/items';

describe('the list of clew show', () => {
  const row = (over: Partial<RequestRow>): RequestRow => ({
    traceId: '0123456789abcdef0123456789abcdef',
    name: 'GET /orders/:id',
    service: 'shop',
    kind: 'SERVER',
    path: '/orders/7',
    startMs: 0,
    startNanos: '0',
    durationMs: 40,
    statusCode: '200',
    error: false,
    errorSpans: 0,
    spans: 5,
    services: 1,
    parts: { runningMs: 10, ioMs: 20, loopMs: 10 },
    warnings: 0,
    findings: 0,
    incomplete: false,
    ...over,
  });
  const list = (width: number, ...requests: RequestRow[]): string[] =>
    renderRequests({ requests, total: requests.length }, width);

  it('is a table with the path where it has room, else the whole name', () => {
    const failed = row({ name: LONG, error: true, statusCode: '500', durationMs: 1.25, spans: 1 });
    assert.deepEqual(list(80, row({}), failed), [
      '01234567  GET /orders/:id  /orders/7   ███······▒▒▒  40.0 ms  5 spans  ok 200',
      '01234567  GET /api/v1/cu…orderId/items █              1.3 ms   1 span  ERROR 500',
    ]);
    assert.match(list(120, failed)[0] ?? '', /:customerId\/orders\/:orderId\/items  \/orders\/7 /);
  });

  it('has two lines for a request in a narrow terminal', () => {
    assert.deepEqual(list(40, row({}), row({ name: LONG })), [
      'GET /orders/:id  /orders/7',
      '  01234567  40.0 ms  ok 200 ███······▒▒▒',
      'GET /api/v1/customer…ders/:orderId/items',
      '  01234567  40.0 ms  ok 200 ███······▒▒▒',
    ]);
  });

  it('never has a line that is wider than the terminal', () => {
    const rows = [
      row({ name: 'x'.repeat(300) }),
      row({ durationMs: 1e9, statusCode: '4'.repeat(40) }),
    ];
    for (const width of [36, 40, 60, 72, 80, 120]) {
      for (const line of list(width, ...rows)) assert.ok(line.length <= width, `${width}: ${line}`);
    }
  });
});
