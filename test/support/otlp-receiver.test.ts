import assert from 'node:assert/strict';
import { request } from 'node:http';

import { SpanStatusCode } from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-base';
import { ProtobufTraceSerializer } from '@opentelemetry/otlp-transformer';

import { startReceiver, type OtlpReceiver } from './otlp-receiver.ts';
import { toObject } from './otlp-types.ts';

describe('OtlpReceiver', () => {
  let receiver: OtlpReceiver;
  beforeEach(async () => {
    receiver = await startReceiver();
  });
  afterEach(async () => receiver.close());

  function makeSpans(): InMemorySpanExporter {
    const memory = new InMemorySpanExporter();
    const provider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(memory)] });
    const span = provider.getTracer('scope', '1.2.3').startSpan('query', {
      attributes: { text: 'söme', count: -7, ratio: 0.5, ok: true, list: ['a', 'b'] },
    });
    span.addEvent('retry', { attempt: 2 });
    span.setStatus({ code: SpanStatusCode.ERROR, message: 'gone' });
    span.end();
    return memory;
  }

  it('reads the same span from protobuf and from JSON', async () => {
    const spans = makeSpans().getFinishedSpans();
    const exporter = new OTLPTraceExporter({ url: `${receiver.url}/v1/traces` });
    await new Promise((resolve) => exporter.export(spans, resolve));
    await new Promise<void>((resolve) => {
      request(`${receiver.url}/v1/traces`, {
        method: 'POST',
        headers: { 'content-type': 'application/x-protobuf' },
      })
        .on('response', (response) => response.resume().on('end', resolve))
        .end(ProtobufTraceSerializer.serializeRequest(spans));
    });
    await exporter.shutdown();
    const [fromJson, fromProtobuf] = await receiver.waitForSpans(1);
    assert.ok(fromJson && fromProtobuf);
    for (const span of [fromJson, fromProtobuf]) {
      assert.equal(span.name, 'query');
      assert.equal(span.scope.name, 'scope');
      assert.equal(span.scope.version, '1.2.3');
      assert.deepEqual(toObject(span.attributes), {
        text: 'söme',
        count: -7,
        ratio: 0.5,
        ok: true,
        list: ['a', 'b'],
      });
      assert.deepEqual(span.status, { code: 2, message: 'gone' });
      assert.deepEqual(toObject(span.events[0]?.attributes), { attempt: 2 });
    }
    assert.equal(fromJson.spanId, fromProtobuf.spanId);
    assert.equal(fromJson.startTimeUnixNano, fromProtobuf.startTimeUnixNano);
    assert.equal(fromJson.endTimeUnixNano, fromProtobuf.endTimeUnixNano);
    assert.deepEqual(fromJson.resource, fromProtobuf.resource);
  });

  it('collects nothing from a request it answers with an error', async () => {
    receiver.fault = () => ({ status: 503, headers: { 'retry-after': '0' } });
    const exporter = new OTLPTraceExporter({ url: `${receiver.url}/v1/traces`, timeoutMillis: 50 });
    await new Promise((resolve) => exporter.export(makeSpans().getFinishedSpans(), resolve));
    await exporter.shutdown();
    assert.ok(receiver.requests.length > 0);
    assert.equal(receiver.distinct, 0);
  });
});
