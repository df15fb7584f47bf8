import assert from 'node:assert/strict';

import {
  defaultTextMapGetter,
  defaultTextMapSetter,
  ROOT_CONTEXT,
  trace,
  type SpanContext,
} from '@opentelemetry/api';

import { createPropagator, PROPAGATORS } from '../../../src/export/sdk/propagators.ts';

const traceId = '0af7651916cd43dd8448eb211c80319c';
const spanId = 'b7ad6b7169203331';
const spanContext: SpanContext = { traceId, spanId, traceFlags: 1 };

function never(problem: string): void {
  throw new Error(problem);
}

describe('createPropagator', () => {
  /** What each writes: header and value. */
  const HEADERS: [name: string, headers: Record<string, string>][] = [
    ['tracecontext', { traceparent: `00-${traceId}-${spanId}-01` }],
    ['b3', { b3: `${traceId}-${spanId}-1` }],
    ['b3multi', { 'x-b3-traceid': traceId, 'x-b3-spanid': spanId, 'x-b3-sampled': '1' }],
    ['jaeger', { 'uber-trace-id': `${traceId}:${spanId}:0:01` }],
  ];
  for (const [name, headers] of HEADERS) {
    it(`writes and reads the headers of ${name}`, () => {
      const propagator = createPropagator([name], never);
      const carrier: Record<string, string> = {};
      const outgoing = trace.setSpanContext(ROOT_CONTEXT, spanContext);
      propagator.inject(outgoing, carrier, defaultTextMapSetter);
      assert.deepEqual(carrier, headers);
      const incoming = propagator.extract(ROOT_CONTEXT, carrier, defaultTextMapGetter);
      const read = trace.getSpanContext(incoming);
      assert.deepEqual([read?.traceId, read?.spanId, read?.traceFlags], [traceId, spanId, 1]);
    });
  }

  it('puts several together, each once', () => {
    const fields = createPropagator(['b3', 'tracecontext', 'b3', 'baggage'], never).fields();
    assert.deepEqual(fields.toSorted(), ['b3', 'baggage', 'traceparent', 'tracestate']);
  });

  it('makes something of every name that may be given', () => {
    for (const name of PROPAGATORS) assert.ok(createPropagator([name], never).fields().length > 0);
    assert.deepEqual(createPropagator([], never).fields(), []);
  });
});
