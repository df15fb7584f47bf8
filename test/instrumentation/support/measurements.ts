import { metrics, type Attributes } from '@opentelemetry/api';
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
  type Histogram,
} from '@opentelemetry/sdk-metrics';

/** One data point of a metric. */
export interface Measurement {
  attributes: Attributes;
  value: number | Histogram;
}

/** What has been measured since `registerMeasurements`, collected now. */
export type Measure = (metric: string) => Promise<Measurement[]>;

/** Registers a meter provider whose measurements can be read at any time. */
export function registerMeasurements(): Measure {
  const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
  const reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 1e9 });
  metrics.disable();
  metrics.setGlobalMeterProvider(new MeterProvider({ readers: [reader] }));
  return async (metric) => {
    exporter.reset();
    await reader.forceFlush();
    return exporter
      .getMetrics()
      .flatMap(({ scopeMetrics }) => scopeMetrics)
      .flatMap((scope) => scope.metrics)
      .filter(({ descriptor }) => descriptor.name === metric)
      .flatMap(({ dataPoints }): Measurement[] =>
        dataPoints.map(({ attributes, value }) => ({ attributes, value: value as number })),
      );
  };
}
