import assert from 'node:assert/strict';

import type { OtlpSpan } from '../../src/viewer/otlp.ts';
import { kinshipFaults, Trace, TraceStore } from '../../src/viewer/trace.ts';
import { renderTrace } from '../../src/viewer/trace-tree.ts';

const span = (spanId: string, parentSpanId?: string, rest: Partial<OtlpSpan> = {}): OtlpSpan => ({
  traceId: 't',
  spanId,
  name: spanId,
  kind: parentSpanId ? 3 : 2,
  startTimeUnixNano: '1000000000000000000',
  endTimeUnixNano: '1000000000012345678',
  ...(parentSpanId ? { parentSpanId } : {}),
  ...rest,
});

const traceOf = (...spans: OtlpSpan[]): Trace => {
  const trace = new Trace('t');
  for (const each of spans) trace.add(each);
  return trace;
};

describe('kinshipFaults', () => {
  it('finds nothing wrong with one server root and its descendants', () => {
    assert.deepEqual(kinshipFaults(traceOf(span('a'), span('b', 'a'), span('c', 'b'))), []);
  });

  it('names a span whose parent never arrived', () => {
    assert.deepEqual(kinshipFaults(traceOf(span('a'), span('b', 'x'))), [
      'b: its parent never arrived',
    ]);
  });

  it('names a root that is no server span: it lost its parent', () => {
    const faults = kinshipFaults(traceOf(span('a', undefined, { kind: 3 })));
    assert.deepEqual(faults, ['a: it has no parent']);
  });

  it('objects to two roots in one trace', () => {
    assert.deepEqual(kinshipFaults(traceOf(span('a'), span('b'))), ['2 roots in one trace']);
  });
});

describe('TraceStore', () => {
  const request = (traceId: string, spanId: string): object => ({
    resourceSpans: [{ scopeSpans: [{ spans: [{ ...span(spanId), traceId }] }] }],
  });

  it('gathers spans by trace over several requests, counting a repeated one once', () => {
    const store = new TraceStore();
    for (const [traceId, spanId] of [
      ['x', 'a'],
      ['y', 'b'],
      ['x', 'c'],
      ['x', 'c'],
    ] as const) {
      store.add(request(traceId, spanId));
    }
    const sizes = store.traces.map((trace) => [trace.traceId, trace.size]);
    assert.deepEqual(sizes, [
      ['x', 2],
      ['y', 1],
    ]);
  });

  it('keeps as many traces as it may, lets the oldest go after that, and counts it', () => {
    const store = new TraceStore(2);
    store.add(request('x', 'a'));
    store.add(request('y', 'a'));
    assert.equal(store.dropped, 0);
    store.add(request('z', 'a'));
    const kept = store.traces.map((trace) => trace.traceId);
    assert.deepEqual(kept, ['y', 'z']);
    assert.equal(store.dropped, 1);
  });
});

describe('renderTrace', () => {
  const attribute = (key: string, stringValue: string) => ({ key, value: { stringValue } });
  const trace = traceOf(
    span('GET', undefined, { attributes: [attribute('url.path', '/orders')] }),
    span('SELECT orders', 'GET', {
      status: { code: 2 },
      attributes: [attribute('db.response.status_code', '42P01')],
    }),
    span('x'.repeat(200), 'GET', { startTimeUnixNano: '1000000000000000001' }),
  );

  it('draws names, durations and status as a tree, the path beside the request', () => {
    const [root, failed, long] = renderTrace(trace, { width: 80, color: false });
    assert.match(root ?? '', /^GET \/orders +12\.3 ms {2}ok$/);
    assert.match(failed ?? '', /^├─ SELECT orders +12\.3 ms {2}ERROR 42P01$/);
    assert.match(long ?? '', /^└─ x+…/);
  });

  it('never draws a line longer than the terminal is wide', () => {
    for (const width of [60, 80, 100]) {
      for (const line of renderTrace(trace, { width, color: false })) {
        assert.ok(line.length <= width, `${line.length} > ${width}: ${line}`);
      }
    }
  });

  it('draws a span whose parent is missing as well', () => {
    const lines = renderTrace(traceOf(span('b', 'gone')), { width: 80, color: false });
    assert.match(lines[0] ?? '', /^b /);
  });
});
