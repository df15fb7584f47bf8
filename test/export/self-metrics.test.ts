import assert from 'node:assert/strict';

import { metrics } from '@opentelemetry/api';
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics';

import { DeliverySpanProcessor } from '../../src/export/delivery.ts';
import { startReceiver } from '../support/otlp-receiver.ts';
import { endSpans } from './support/spans.ts';

describe('self-metrics', () => {
  it('show what became of spans to a meter provider that is registered later', async () => {
    const receiver = await startReceiver({
      fault: () => ({ rejectSpans: ({ name }) => name === 'span 3' }),
    });
    const delivery = new DeliverySpanProcessor({ url: `${receiver.url}/v1/traces` });
    const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
    const reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 60_000 });
    const provider = new MeterProvider({ readers: [reader] });
    metrics.setGlobalMeterProvider(provider);
    endSpans(delivery, 10);
    await delivery.forceFlush();
    await reader.forceFlush();
    const points = exporter
      .getMetrics()
      .flatMap(({ scopeMetrics }) => scopeMetrics)
      .flatMap(({ metrics: all }) => all)
      .flatMap(({ descriptor, dataPoints }) => {
        return dataPoints.map(({ value, attributes }) => {
          const reason = attributes['error.type'];
          return `${descriptor.name}${reason === undefined ? '' : ` (${String(reason)})`} ${JSON.stringify(value)}`;
        });
      });
    assert.deepEqual(points.toSorted(), [
      'otel.sdk.exporter.span.exported (rejected) 1',
      'otel.sdk.exporter.span.exported 9',
      'otel.sdk.exporter.span.inflight 0',
      'otel.sdk.processor.span.processed 10',
      'otel.sdk.processor.span.queue.size 0',
    ]);
    await delivery.shutdown();
    await provider.shutdown();
    await receiver.close();
  });
});
