import {
  createNoopMeter,
  metrics,
  type Attributes,
  type BatchObservableResult,
  type Meter,
  type Observable,
} from '@opentelemetry/api';
import { ATTR_ERROR_TYPE } from '@opentelemetry/semantic-conventions';
import {
  ATTR_OTEL_COMPONENT_NAME,
  ATTR_OTEL_COMPONENT_TYPE,
  METRIC_OTEL_SDK_EXPORTER_SPAN_EXPORTED,
  METRIC_OTEL_SDK_EXPORTER_SPAN_INFLIGHT,
  METRIC_OTEL_SDK_PROCESSOR_SPAN_PROCESSED,
  METRIC_OTEL_SDK_PROCESSOR_SPAN_QUEUE_SIZE,
} from '@opentelemetry/semantic-conventions/incubating';

import type { DeliveryStats } from './stats.ts';

let instances = 0;

/** The meter of the registered meter provider; undefined while there is none. */
export function findMeter(): Meter | undefined {
  const meter = metrics.getMeter('clew/export');
  return meter === createNoopMeter() ? undefined : meter;
}

/**
 * Publishes a delivery's counts as the metrics that OpenTelemetry defines for its SDKs. They are
 * read when metrics are collected, so they add no cost per span. Returns a function that undoes it.
 */
export function observeDelivery(meter: Meter, stats: () => DeliveryStats): () => void {
  const attributes: Attributes = {
    [ATTR_OTEL_COMPONENT_TYPE]: 'clew_delivery',
    [ATTR_OTEL_COMPONENT_NAME]: `clew_delivery/${instances++}`,
  };
  const unit = { unit: '{span}' };
  const processed = meter.createObservableCounter(METRIC_OTEL_SDK_PROCESSOR_SPAN_PROCESSED, unit);
  const exported = meter.createObservableCounter(METRIC_OTEL_SDK_EXPORTER_SPAN_EXPORTED, unit);
  const queued = meter.createObservableUpDownCounter(
    METRIC_OTEL_SDK_PROCESSOR_SPAN_QUEUE_SIZE,
    unit,
  );
  const inFlight = meter.createObservableUpDownCounter(
    METRIC_OTEL_SDK_EXPORTER_SPAN_INFLIGHT,
    unit,
  );
  const instruments: Observable[] = [processed, exported, queued, inFlight];
  const observe = (result: BatchObservableResult): void => {
    const now = stats();
    const failed = (reason: string): Attributes => ({ ...attributes, [ATTR_ERROR_TYPE]: reason });
    result.observe(processed, now.accepted + now.rejected, attributes);
    for (const [reason, count] of Object.entries(now.droppedBy)) {
      if (count > 0) result.observe(processed, count, failed(reason));
    }
    result.observe(exported, now.accepted, attributes);
    if (now.rejected > 0) result.observe(exported, now.rejected, failed('rejected'));
    result.observe(queued, now.queued + now.spooled, attributes);
    result.observe(inFlight, now.inFlight, attributes);
  };
  meter.addBatchObservableCallback(observe, instruments);
  return () => meter.removeBatchObservableCallback(observe, instruments);
}
