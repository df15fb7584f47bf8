import { hostname } from 'node:os';
import type { MessagePort } from 'node:worker_threads';

import type { Sampler, SpanLimits, SpanProcessor, TracerConfig } from './sdk-types.ts';
import { ATTR_SERVICE_NAME, ATTR_SERVICE_VERSION } from '@opentelemetry/semantic-conventions';
import {
  ATTR_HOST_NAME,
  ATTR_PROCESS_PID,
  ATTR_SERVICE_INSTANCE_ID,
} from '@opentelemetry/semantic-conventions/incubating';

import { uniqueId } from '../../base/node-crypto.ts';
import { AddedProcessors } from './added-processors.ts';
import { DeliverySpanProcessor } from '../delivery.ts';
import type { DeliveryOptions } from '../options.ts';
import { loadSdk, type Provider, type Sdk } from './sdk.ts';
import { TraceClockProcessor } from './trace-clock.ts';

export interface SamplerOptions {
  readonly parentBased: boolean;
  readonly root: 'always_on' | 'always_off' | 'traceidratio';
  /** Share of traces that `traceidratio` keeps, 0 to 1. */
  readonly ratio: number;
}

export interface PipelineOptions {
  readonly serviceName: string;
  readonly serviceVersion: string | undefined;
  /** Attributes of OpenTelemetry's `Resource` set by the user. */
  readonly resourceAttributes: Readonly<Record<string, string>>;
  readonly exporter: 'otlp' | 'console' | 'none';
  /** The URL for OTLP/HTTP requests, including the path. */
  readonly tracesUrl: string;
  readonly sampler: SamplerOptions;
  readonly spanLimits: SpanLimits;
  readonly delivery: DeliveryOptions;
}

/** A provider, and its delivery if it exports over OTLP. */
export interface Pipeline {
  provider: Provider;
  delivery: DeliverySpanProcessor | undefined;
  /** Accepts span processors that are added later. */
  added: AddedProcessors;
}

/**
 * Builds the provider. `processors` receive each span before the delivery does. The delivery uses
 * `sharedSender` if there is one.
 */
export function createProvider(
  options: PipelineOptions,
  processors: readonly SpanProcessor[] = [],
  sharedSender?: MessagePort,
): Pipeline {
  const { sdk, dependency } = loadSdk();
  const { resourceFromAttributes } = dependency<{
    resourceFromAttributes: (
      attributes: Record<string, unknown>,
    ) => NonNullable<TracerConfig['resource']>;
  }>('@opentelemetry/resources');
  const processor = createProcessor(sdk, options, sharedSender);
  const added = new AddedProcessors();
  const clock = new TraceClockProcessor();
  const provider = new sdk.TracerProvider({
    resource: resourceFromAttributes(describeProcess(options)),
    sampler: createSampler(sdk, options.sampler),
    spanLimits: options.spanLimits,
    spanProcessors: processor ? [clock, ...processors, added, processor] : [clock, added],
  });
  const delivery = processor instanceof DeliverySpanProcessor ? processor : undefined;
  return { provider, delivery, added };
}

function createProcessor(
  sdk: Sdk,
  options: PipelineOptions,
  sharedSender: MessagePort | undefined,
): SpanProcessor | undefined {
  if (options.exporter === 'otlp') {
    return new DeliverySpanProcessor(options.delivery, sharedSender);
  }
  if (options.exporter === 'none') return undefined;
  return new sdk.SimpleSpanProcessor({ exporter: new sdk.ConsoleSpanExporter() });
}

function createSampler(sdk: Sdk, { parentBased, root, ratio }: SamplerOptions): Sampler {
  const sampler = {
    always_on: () => new sdk.AlwaysOnSampler(),
    always_off: () => new sdk.AlwaysOffSampler(),
    traceidratio: () => new sdk.TraceIdRatioBasedSampler(ratio),
  }[root]();
  return parentBased ? new sdk.ParentBasedSampler({ root: sampler }) : sampler;
}

/**
 * The attributes of OpenTelemetry's `Resource` for this process. `host.name` is required: without
 * it, Jaeger assumes that any two spans come from different machines and warns of clock skew.
 */
function describeProcess(options: PipelineOptions): Record<string, string | number> {
  return {
    [ATTR_HOST_NAME]: hostname(),
    [ATTR_PROCESS_PID]: process.pid,
    [ATTR_SERVICE_INSTANCE_ID]: uniqueId(),
    ...(options.serviceVersion ? { [ATTR_SERVICE_VERSION]: options.serviceVersion } : {}),
    'telemetry.sdk.language': 'nodejs',
    'telemetry.sdk.name': 'opentelemetry',
    'telemetry.distro.name': 'clew',
    ...options.resourceAttributes,
    [ATTR_SERVICE_NAME]: options.serviceName,
  };
}
