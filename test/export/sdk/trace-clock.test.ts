import assert from 'node:assert/strict';
import { performance } from 'node:perf_hooks';

import { ROOT_CONTEXT, trace, type HrTime, type Span, type Tracer } from '@opentelemetry/api';
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  SimpleSpanProcessor,
  type ReadableSpan,
} from '@opentelemetry/sdk-trace-base';
import sinon from 'sinon';

import { TraceClockProcessor } from '../../../src/export/sdk/trace-clock.ts';

describe('TraceClockProcessor', () => {
  let exporter: InMemorySpanExporter;
  let tracer: Tracer;

  beforeEach(() => {
    exporter = new InMemorySpanExporter();
    const spanProcessors = [new TraceClockProcessor(), new SimpleSpanProcessor(exporter)];
    tracer = new BasicTracerProvider({ spanProcessors }).getTracer('test');
  });

  function child(parent: Span): Span {
    return tracer.startSpan('child', {}, trace.setSpan(ROOT_CONTEXT, parent));
  }

  it('keeps every span within its parent', () => {
    for (let i = 0; i < 500; i++) {
      const root = tracer.startSpan('root');
      work(Math.random());
      const parent = child(root);
      child(parent).end();
      work(Math.random());
      child(parent).end();
      parent.end();
      root.end();
    }
    const spans = exporter.getFinishedSpans();
    const byId = new Map(spans.map((span) => [span.spanContext().spanId, span]));
    let children = 0;
    for (const span of spans) {
      const parent = byId.get(span.parentSpanContext?.spanId ?? '');
      if (!parent) continue;
      children++;
      assert.ok(nanos(span.startTime) >= nanos(parent.startTime));
      assert.ok(nanos(span.endTime) <= nanos(parent.endTime));
    }
    assert.equal(children, 1500);
  });

  it('shows neighbours in their order', () => {
    const parent = tracer.startSpan('parent');
    for (let i = 0; i < 100; i++) {
      child(parent).end();
      work(0.001);
    }
    const spans = exporter.getFinishedSpans();
    for (const [i, span] of spans.slice(1).entries()) {
      assert.ok(nanos((spans[i] as ReadableSpan).endTime) <= nanos(span.startTime), String(i));
    }
  });

  it('leaves a first span its own start', () => {
    sinon.replace(Date, 'now', () => 1_700_000_000_123);
    tracer.startSpan('root').end();
    assert.deepEqual(exporter.getFinishedSpans()[0]?.startTime, [1_700_000_000, 123_000_000]);
  });

  it('leaves a start that was given', () => {
    const given: HrTime = [1_700_000_000, 5];
    const parent = tracer.startSpan('parent');
    const inside = trace.setSpan(ROOT_CONTEXT, parent);
    tracer.startSpan('given', { startTime: given }, inside).end([1_700_000_001, 0]);
    assert.deepEqual(exporter.getFinishedSpans()[0]?.startTime, given);
  });

  it('goes by the wall clock again where that was set meanwhile', () => {
    const parent = tracer.startSpan('parent');
    const set = Date.now() + 3_600_000;
    sinon.replace(Date, 'now', () => set);
    child(parent).end();
    const [span] = exporter.getFinishedSpans();
    assert.equal(nanos(span?.startTime ?? [0, 0]), BigInt(set) * 1_000_000n);
  });

  it('reads an end that is given as performance.now() by the same clock', () => {
    const parent = tracer.startSpan('parent');
    work(0.5);
    const span = child(parent);
    work(0.2);
    span.end(performance.now());
    parent.end();
    const [inner, outer] = exporter.getFinishedSpans();
    assert.ok(inner && outer);
    const lasted = nanos(inner.endTime) - nanos(inner.startTime);
    assert.ok(lasted >= 199_000n, String(lasted));
    // A number of milliseconds since the epoch tells a quarter of a microsecond.
    assert.ok(nanos(inner.endTime) <= nanos(outer.endTime) + 500n);
  });

  it('leaves the spans of an SDK that is built otherwise', () => {
    const processor = new TraceClockProcessor();
    const inside = trace.setSpan(ROOT_CONTEXT, tracer.startSpan('parent'));
    const other = Object.freeze({ startTime: [1, 0] });
    const frozen = Object.freeze({
      startTime: [Math.floor(Date.now() / 1000), 0],
      _performanceStartTime: performance.now(),
      _performanceOffset: 0,
      _startTimeProvided: false,
    });
    const { startTime } = frozen;
    for (const span of [other, frozen]) processor.onStart(span, inside);
    assert.deepEqual([other.startTime, frozen.startTime], [[1, 0], startTime]);
  });
});

function work(millis: number): void {
  for (const from = performance.now(); performance.now() - from < millis;);
}

function nanos([seconds, rest]: HrTime): bigint {
  return BigInt(seconds) * 1_000_000_000n + BigInt(rest);
}
