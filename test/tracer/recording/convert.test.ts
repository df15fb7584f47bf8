import assert from 'node:assert/strict';

import { CONVERSIONS } from '../../../src/tracer/recording/convert.ts';
import type { Recording } from '../../../src/tracer/recording/format.ts';
import type { AsyncRecord } from '../../../src/tracer/record.ts';

const record = (asyncId: number, type: string, over: Partial<AsyncRecord> = {}): AsyncRecord => ({
  asyncId,
  type,
  triggerAsyncId: 2,
  executionAsyncId: 2,
  initAt: 10 + asyncId,
  slices: [20 + asyncId, 21 + asyncId],
  slicesDropped: 0,
  bornBefore: false,
  ...over,
});

const recording: Recording = {
  version: 1,
  header: {
    node: 'v20.0.0',
    pid: 7,
    timeOrigin: 1_700_000_000_000,
    program: 'app.js',
    startedAt: 5,
    level: 'deep',
  },
  traces: [
    {
      root: { asyncId: 2, type: 'HTTPINCOMINGMESSAGE' },
      owner: { id: 1, label: 'GET "a\\b"', startedAt: 10, marked: true },
      startedAt: 10,
      endedAt: 40,
      endedBy: 'idle',
      dropped: 0,
      records: [
        record(3, 'TCPWRAP', { description: '127.0.0.1:80' }),
        record(4, 'PROMISE', { triggerAsyncId: 3 }),
        record(5, 'FSREQCALLBACK', { triggerAsyncId: 4, executionAsyncId: 2, stack: ['a', 'b'] }),
        record(6, 'ZLIB', { triggerAsyncId: 3, executionAsyncId: 5 }),
      ],
    },
    {
      root: { asyncId: 1, type: 'main' },
      startedAt: 1,
      endedAt: 1,
      endedBy: 'stop',
      dropped: 3,
      records: [record(9, 'Timeout', { triggerAsyncId: 1, slices: [], initAt: 1 })],
    },
  ],
};

const convert = (to: string): any => JSON.parse(CONVERSIONS[to]?.(recording) ?? '');

describe('the conversions of a recording', () => {
  it('give OTLP with a root per group, every parent present, and links', () => {
    const spans: any[] = convert('otlp').resourceSpans[0].scopeSpans[0].spans;
    assert.deepEqual(
      spans.map((span) => span.name),
      ['GET "a\\b"', 'socket', 'fs', 'zlib', 'main'],
    );
    const byId = new Map(spans.map((span) => [span.spanId, span]));
    for (const span of spans) {
      assert.match(span.traceId, /^[0-9a-f]{32}$/);
      assert.match(span.spanId, /^[0-9a-f]{16}$/);
      assert.ok(BigInt(span.endTimeUnixNano) > BigInt(span.startTimeUnixNano), span.name);
      if (span.parentSpanId) assert.equal(byId.get(span.parentSpanId)?.traceId, span.traceId);
    }
    assert.equal(spans.filter((span) => !span.parentSpanId).length, 2);
    const [root, socket, file, zlib] = spans;
    assert.equal(socket.parentSpanId, root.spanId);
    assert.equal(file.parentSpanId, socket.spanId);
    assert.equal(zlib.links[0].spanId, file.spanId);
    assert.equal(socket.startTimeUnixNano, '1700000000013000000');
  });

  it('give Jaeger JSON with the same spans, in microseconds', () => {
    const { data } = convert('jaeger');
    assert.equal(data.length, 2);
    const [first] = data;
    assert.equal(first.processes.p1.serviceName, 'clew recording of app.js');
    const socket = first.spans.find((span: any) => span.operationName === 'socket');
    assert.equal(socket.startTime, 1_700_000_000_013_000);
    assert.equal(socket.references[0].refType, 'CHILD_OF');
    for (const span of first.spans) assert.ok(span.duration >= 1);
  });

  it('give trace events with who ran on one track and what was waited for on others', () => {
    const { traceEvents } = convert('perfetto');
    const runs = traceEvents.filter((event: any) => event.ph === 'X');
    assert.equal(runs.length, 4);
    assert.ok(runs.every((event: any) => event.tid === 1 && event.dur === 1000));
    const begins = traceEvents.filter((event: any) => event.ph === 'b');
    const ends = traceEvents.filter((event: any) => event.ph === 'e');
    assert.equal(begins.length, 5);
    assert.deepEqual(
      begins.map((event: any) => event.id).sort(),
      ends.map((event: any) => event.id).sort(),
    );
  });

  it('give a graph with trigger arrows, and dashed ones from a creator that is another', () => {
    const dot = CONVERSIONS['dot']?.(recording) ?? '';
    assert.match(dot, /^digraph triggers \{/);
    assert.match(dot, /r0 -> a3;/);
    assert.match(dot, /a3 -> a4;/);
    assert.match(dot, /a5 -> a6 \[style=dashed/);
    assert.match(dot, /label="GET \\"a\\\\b\\""/);
    assert.equal(dot.split('{').length, dot.split('}').length);
  });
});
