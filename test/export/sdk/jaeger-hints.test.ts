import assert from 'node:assert/strict';

import { SpanKind, type Attributes } from '@opentelemetry/api';
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-base';

import { readConfig } from '../../../src/config.ts';
import { JaegerHints } from '../../../src/export/sdk/jaeger-hints.ts';

describe('hints for Jaeger', () => {
  const exporter = new InMemorySpanExporter();
  const tracer = new BasicTracerProvider({
    spanProcessors: [new JaegerHints(), new SimpleSpanProcessor(exporter)],
  }).getTracer('test');
  const hints = (kind: SpanKind, attributes: Attributes): Attributes => {
    exporter.reset();
    const span = tracer.startSpan('one', { kind });
    // Where a call goes may be known only while it runs.
    span.setAttributes(attributes);
    span.end();
    const [ended] = exporter.getFinishedSpans();
    const { 'peer.service': peer, 'db.system': system } = ended?.attributes ?? {};
    return { ...(peer === undefined ? {} : { peer }), ...(system === undefined ? {} : { system }) };
  };

  it('name the database, the broker or the server that was called', () => {
    const { CLIENT, PRODUCER } = SpanKind;
    assert.deepEqual(hints(CLIENT, { 'db.system.name': 'postgresql', 'server.address': 'a' }), {
      peer: 'postgresql',
      system: 'postgresql',
    });
    assert.deepEqual(hints(PRODUCER, { 'messaging.system': 'kafka' }), { peer: 'kafka' });
    assert.deepEqual(hints(CLIENT, { 'server.address': 'api.test', 'server.port': 8080 }), {
      peer: 'api.test:8080',
    });
    assert.deepEqual(hints(CLIENT, { 'server.address': 'api.test', 'server.port': 443 }), {
      peer: 'api.test',
    });
    assert.deepEqual(hints(CLIENT, {}), {});
  });

  it('leave alone what is no call, and what a span has already', () => {
    assert.deepEqual(hints(SpanKind.SERVER, { 'server.address': 'a' }), {});
    assert.deepEqual(hints(SpanKind.CONSUMER, { 'messaging.system': 'kafka' }), {});
    assert.deepEqual(
      hints(SpanKind.CLIENT, {
        'peer.service': 'stock',
        'db.system': 'other',
        'db.system.name': 'x',
      }),
      { peer: 'stock', system: 'other' },
    );
  });

  it('are off unless CLEW_JAEGER_HINTS is on', () => {
    const of = (value?: string): boolean =>
      readConfig({}, value === undefined ? {} : { CLEW_JAEGER_HINTS: value }).config.jaegerHints;
    assert.deepEqual([of(), of('off'), of('on'), of('1')], [false, false, true, true]);
    assert.equal(readConfig({}, { CLEW_JAEGER_HINTS: 'maybe' }).problems.length, 1);
  });
});
