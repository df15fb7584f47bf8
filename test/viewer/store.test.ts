import assert from 'node:assert/strict';

import { kinshipFaults } from '../../src/viewer/kinship.ts';
import { readOtlp } from '../../src/viewer/otlp.ts';
import { otlpOf } from '../../src/viewer/otlp-write.ts';
import { attributeOf } from '../../src/viewer/span.ts';
import { TraceStore, type StoreLimits, type Trace } from '../../src/viewer/store.ts';
import { renderTrace } from '../../src/viewer/trace-tree.ts';
import { otlp, traceId, type TestSpan } from './support/spans.ts';

const storeOf = (spans: TestSpan[], limits: Partial<StoreLimits> = {}): TraceStore => {
  const store = new TraceStore(limits);
  store.add(readOtlp(otlp(...spans)));
  return store;
};
const traceOf = (...spans: TestSpan[]): Trace => {
  const trace = storeOf(spans).get(traceId('f0'));
  assert.ok(trace);
  return trace;
};
const faults = (...spans: TestSpan[]): string[] => kinshipFaults(traceOf(...spans).kinship);

describe('readOtlp', () => {
  it('reads every kind of value, and writes it back as it was', () => {
    const values = [
      { stringValue: '' },
      { boolValue: false },
      { intValue: '42' },
      { intValue: '9223372036854775807' },
      { doubleValue: 3 },
      { doubleValue: 0.5 },
      { doubleValue: 'NaN' },
      { bytesValue: 'AAEC' },
      { arrayValue: { values: [{ stringValue: 'a' }, { intValue: '1' }] } },
      { kvlistValue: { values: [{ key: '__proto__', value: { stringValue: 'x' } }] } },
      {},
    ];
    const request = otlp({ id: 'a' }) as { resourceSpans: { scopeSpans: { spans: any[] }[] }[] };
    const span = request.resourceSpans[0]?.scopeSpans[0]?.spans[0];
    span.attributes = values.map((value, index) => ({ key: `k${index}`, value }));
    const [read] = readOtlp(request);
    assert.ok(read);
    assert.equal(attributeOf(read, 'k2'), 42);
    assert.equal(attributeOf(read, 'k3'), '9223372036854775807');
    const written = otlpOf([read]) as any;
    assert.deepEqual(written.resourceSpans[0].scopeSpans[0].spans[0].attributes, span.attributes);
  });

  it('refuses what is no export request and names the field', () => {
    const broken = (change: object): object => {
      const request = otlp({ id: 'a' }) as any;
      Object.assign(request.resourceSpans[0].scopeSpans[0].spans[0], change);
      return request;
    };
    const cases: [unknown, RegExp][] = [
      [null, /the request is not an object: null/],
      [[], /the request is not an object/],
      [{ resourceSpans: 1 }, /resourceSpans is not an array: 1/],
      [broken({ traceId: 'xyz' }), /traceId has to be 32 hexadecimal digits/],
      [broken({ traceId: '0'.repeat(32) }), /traceId has to be/],
      [broken({ spanId: '' }), /spanId has to be 16/],
      [broken({ startTimeUnixNano: '-1' }), /startTimeUnixNano is not a time/],
      [broken({ endTimeUnixNano: {} }), /endTimeUnixNano is not a time/],
      [broken({ name: 5 }), /name is not a text: 5/],
      [broken({ attributes: [{ key: 'k', value: { intValue: 'many' } }] }), /intValue/],
      [broken({ attributes: 'all' }), /attributes is not an array/],
    ];
    for (const [request, message] of cases) assert.throws(() => readOtlp(request), message);
    let deep: object = { stringValue: 'x' };
    for (let i = 0; i < 5000; i++) deep = { arrayValue: { values: [deep] } };
    assert.throws(() => readOtlp(broken({ attributes: [{ key: 'k', value: deep }] })), /nested/);
  });

  it('reads an empty request, and fields that are missing', () => {
    assert.deepEqual(readOtlp({}), []);
    assert.deepEqual(readOtlp({ resourceSpans: [{}, { scopeSpans: [{}] }] }), []);
  });
});

describe('TraceStore', () => {
  it('gathers spans by trace over several requests, counting a repeated one once', () => {
    const store = new TraceStore();
    for (const [trace, id] of [
      ['f1', 'a'],
      ['f2', 'b'],
      ['f1', 'c'],
      ['f1', 'c'],
    ] as const) {
      store.add(readOtlp(otlp({ id, trace })));
    }
    const sizes = [...store.traces].map((trace) => [trace.traceId, trace.size]);
    assert.deepEqual(sizes, [
      [traceId('f2'), 1],
      [traceId('f1'), 2],
    ]);
    assert.equal(store.spanCount, 3);
  });

  it('lets go what was not added to for the longest time, at each bound, and counts it', () => {
    const ids = (store: TraceStore): string[] => [...store.traces].map((trace) => trace.traceId);
    const three = ['f1', 'f2', 'f3'].map((trace): TestSpan => ({ id: 'a', trace }));
    const exact = storeOf(three, { maxTraces: 3 });
    assert.deepEqual(exact.dropped, { traces: 0, spans: 0 });
    const byCount = storeOf(three, { maxTraces: 2 });
    assert.deepEqual(ids(byCount), [traceId('f2'), traceId('f3')]);
    assert.deepEqual(byCount.dropped, { traces: 1, spans: 1 });
    const [span] = readOtlp(otlp({ id: 'a', trace: 'f1' }));
    const byBytes = storeOf(three, { maxBytes: 2 * (span?.bytes ?? 0) });
    assert.deepEqual(ids(byBytes), [traceId('f2'), traceId('f3')]);
    const bySpans = storeOf([{ id: 'a' }, { id: 'b' }, { id: 'c' }], { maxSpansPerTrace: 2 });
    assert.equal(bySpans.get(traceId('f0'))?.size, 2);
    assert.equal(bySpans.get(traceId('f0'))?.spansDropped, 1);
    assert.deepEqual(bySpans.dropped, { traces: 0, spans: 1 });
  });

  it('keeps to its bytes under spans with long attributes', () => {
    const store = new TraceStore({ maxBytes: 1_000_000 });
    for (let i = 0; i < 100; i++) {
      const text = 'x'.repeat(50_000);
      store.add(readOtlp(otlp({ id: 'a', trace: `e${i}`, attributes: { text } })));
    }
    assert.ok(store.traceCount < 11, String(store.traceCount));
    assert.equal(store.dropped.traces, 100 - store.traceCount);
  });
});

describe('kinshipFaults', () => {
  it('finds nothing wrong with one server root and its descendants', () => {
    assert.deepEqual(faults({ id: 'a' }, { id: 'b', parent: 'a' }, { id: 'c', parent: 'b' }), []);
  });

  it('names a span whose parent never arrived, and a root that is no server span', () => {
    assert.deepEqual(faults({ id: 'a' }, { id: 'b', parent: 'd' }), [
      'b: its parent never arrived',
    ]);
    assert.deepEqual(faults({ id: 'a', kind: 3 }), ['a: it has no parent']);
    assert.deepEqual(faults({ id: 'a', kind: 5 }), ['a: it has no parent']);
  });

  it('finds nothing wrong with a message that is linked to its producer', () => {
    const links = [{ trace: 'f1', span: 'e' }];
    assert.deepEqual(faults({ id: 'a', kind: 5, links }, { id: 'b', parent: 'a' }), []);
    assert.deepEqual(faults({ id: 'a', kind: 3, links }), ['a: it has no parent']);
  });

  it('objects to two roots in one trace', () => {
    assert.deepEqual(faults({ id: 'a' }, { id: 'b' }), ['2 roots in one trace']);
  });
});

describe('Kinship', () => {
  it('gives each span one place: orphans, circles, duplicates, itself as the parent', () => {
    const trace = traceOf(
      { id: 'a' },
      { id: 'b', parent: 'dead' },
      { id: 'c', parent: 'd' },
      { id: 'd', parent: 'c' },
      { id: 'e', parent: 'e' },
      { id: 'a', start: 1 },
      { id: 'f', parent: 'a' },
    );
    const { order, circular } = trace.kinship;
    assert.equal(order.length, 7);
    assert.equal(new Set(order.map(({ of }) => of)).size, 7);
    assert.equal(circular, 3);
    assert.deepEqual(
      trace.kinship.orphans.map(({ of }) => of.span.name),
      ['b'],
    );
  });

  it('orders a chain of ten thousand spans', () => {
    const chain = Array.from({ length: 10_000 }, (_, index): TestSpan => {
      const id = (index + 1).toString(16);
      return index === 0 ? { id } : { id, parent: index.toString(16) };
    });
    const { order } = traceOf(...chain.toReversed()).kinship;
    assert.equal(order.at(-1)?.depth, 9999);
    assert.equal(order[0]?.descendants, 9999);
  });
});

describe('renderTrace', () => {
  const trace = traceOf(
    { id: 'a', name: 'GET', end: 12.345678, attributes: { 'url.path': '/orders' } },
    {
      id: 'b',
      parent: 'a',
      name: 'SELECT orders',
      end: 12.345678,
      failed: 'no',
      attributes: { 'db.response.status_code': '42P01' },
    },
    { id: 'c', parent: 'a', name: 'x'.repeat(200), start: 6, end: 12.345678 },
  );

  it('keeps the route of a request apart from its path', () => {
    const attributes = { 'url.path': '/orders/7' };
    const [line] = renderTrace(traceOf({ id: 'a', name: 'GET /orders/:id', attributes }), {
      width: 80,
      color: false,
    });
    assert.match(line ?? '', /^GET \/orders\/:id {2}\/orders\/7 +[\d.]+ ms {2}ok$/);
  });

  it('draws names, durations and status as a tree, the path beside the request', () => {
    const [root, failed, reason, long] = renderTrace(trace, { width: 80, color: false });
    assert.match(root ?? '', /^GET \/orders +12\.3 ms {2}ok$/);
    assert.match(failed ?? '', /^├─ SELECT orders +12\.3 ms {2}ERROR 42P01$/);
    assert.equal(reason, '│     no');
    assert.match(long ?? '', /^└─ x+…/);
  });

  it('draws bars where the spans ran', () => {
    const [root, , , late] = renderTrace(trace, { width: 80, color: false, bars: true });
    assert.match(root ?? '', /^GET \/orders +━{22} +12\.3 ms {2}ok$/);
    assert.match(late ?? '', /… {10}━{12} +6\.3 ms/);
  });

  it('never draws a line longer than the terminal is wide, however deep', () => {
    const chain = Array.from({ length: 300 }, (_, index): TestSpan => {
      const id = (index + 1).toString(16);
      return index === 0 ? { id } : { id, parent: index.toString(16) };
    });
    for (const width of [36, 60, 80, 100]) {
      for (const shown of [trace, traceOf(...chain)]) {
        for (const line of renderTrace(shown, { width, color: false, bars: true })) {
          assert.ok(line.length <= width, `${line.length} > ${width}: ${line}`);
        }
      }
    }
    assert.equal(
      renderTrace(traceOf(...chain), { width: 80, color: false, maxLines: 5 }).length,
      5,
    );
  });

  it('shows where links lead, below their span, but for what is shown elsewhere', () => {
    const link = (span: string, relation?: string) => ({
      trace: 'ee',
      span,
      ...(relation === undefined ? {} : { attributes: { 'clew.link': relation } }),
    });
    const linked = traceOf(
      {
        id: 'a',
        name: 'process orders',
        kind: 5,
        links: ['1', '2', '3', '4', '5'].map((one) => link(one.repeat(16))),
      },
      {
        id: 'b',
        parent: 'a',
        name: 'SELECT',
        links: [link('6', 'blocked_by'), link('7', 'created_by'), link('8'.repeat(16), 'batch')],
      },
    );
    const lines = renderTrace(linked, { width: 80, color: false });
    const [trace, span] = [traceId('ee').slice(0, 8), (id: string) => id.repeat(8)];
    assert.deepEqual(lines.slice(1, 5), [
      `│  linked to trace ${trace}, span ${span('1')}`,
      `│  linked to trace ${trace}, span ${span('2')}`,
      `│  linked to trace ${trace}, span ${span('3')}`,
      '│  and to 2 more',
    ]);
    assert.deepEqual(lines.slice(6), [`      linked to trace ${trace}, span ${span('8')} (batch)`]);
  });

  it('leaves the bars out of a narrow terminal, and keeps the names', () => {
    const [root, query] = renderTrace(trace, { width: 40, color: false, bars: true });
    assert.match(root ?? '', /^GET \/orders +12\.3 ms {2}ok$/);
    assert.match(query ?? '', /^├─ SELECT orders +12\.3 ms {2}ERROR 42P01$/);
  });

  it('draws a span whose parent is missing as well', () => {
    const lines = renderTrace(traceOf({ id: 'b', parent: 'dead' }), { width: 80, color: false });
    assert.match(lines[0] ?? '', /^b /);
  });

  it('writes no escape sequence of a name', () => {
    const lines = renderTrace(traceOf({ id: 'a', name: 'x\x1b[31mred\x07' }), {
      width: 80,
      color: false,
    });
    // eslint-disable-next-line no-control-regex
    assert.doesNotMatch(lines.join(''), /[\x00-\x1f]/);
  });
});
