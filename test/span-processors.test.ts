import assert from 'node:assert/strict';

import { BasicTracerProvider, type SpanProcessor } from '@opentelemetry/sdk-trace-base';

import { AsyncResourceTracer, createSpanProcessors } from '../src/index.ts';
import { OtlpReceiver } from './support/otlp-receiver.ts';
import { toObject } from './support/otlp-types.ts';

describe('createSpanProcessors', () => {
  it('gives a provider what clew puts on a span, and delivers that', async () => {
    const receiver = await new OtlpReceiver().listen();
    const tracer = new AsyncResourceTracer({ level: 'watch' }).start();
    const seen: string[] = [];
    const mine: SpanProcessor = {
      onStart: () => {},
      onEnd: ({ attributes }) => void seen.push(...Object.keys(attributes)),
      forceFlush: async () => {},
      shutdown: async () => {},
    };
    const { spanProcessors, delivery } = createSpanProcessors({
      url: `${receiver.url}/v1/traces`,
      tracer,
      processors: [mine],
    });
    const provider = new BasicTracerProvider({ spanProcessors });
    try {
      provider.getTracer('test').startSpan('work').end();
      await provider.forceFlush();
      assert.equal(spanProcessors.at(-1), delivery);
      assert.equal(delivery.stats().accepted, 1);
      assert.ok(seen.includes('clew.run.ms'), `${seen.join()} has the parts of its time`);
      assert.ok('clew.run.ms' in toObject(receiver.spans[0]!.attributes));
    } finally {
      await provider.shutdown();
      tracer.stop();
      await receiver.close();
    }
  });

  it('rejects an option that the delivery cannot use', () => {
    assert.throws(() => createSpanProcessors({ protocol: 'grpc' } as object), {
      code: 'ERR_OPTION',
    });
  });
});
