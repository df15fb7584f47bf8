import { createRequire } from 'node:module';

import type { TracerProvider } from '@opentelemetry/api';
import type {
  ConsoleSpanExporter,
  Sampler,
  SpanExporter,
  SpanProcessor,
  TracerConfig,
} from '@opentelemetry/sdk-trace-base';

import { loadPeer, locatePeer } from '../base/peers.ts';

/*
 * The OpenTelemetry SDK that is installed: 2.x comes as `sdk-trace-base`, which since 2.12 is a thin
 * face of the same `sdk-trace` that 3.x is published as. So one shape serves both.
 */

/** A tracer provider of either SDK. */
export interface Provider extends TracerProvider {
  forceFlush(): Promise<void>;
  shutdown(): Promise<void>;
}

/** What is used of `@opentelemetry/sdk-trace`. */
export interface Sdk {
  TracerProvider: new (config: TracerConfig) => Provider;
  SimpleSpanProcessor: new (options: { exporter: SpanExporter }) => SpanProcessor;
  ConsoleSpanExporter: new () => ConsoleSpanExporter;
  AlwaysOnSampler: new () => Sampler;
  AlwaysOffSampler: new () => Sampler;
  ParentBasedSampler: new (options: { root: Sampler }) => Sampler;
  TraceIdRatioBasedSampler: new (ratio: number) => Sampler;
}

/** Loads a package the SDK depends on, in the version that fits it, however deep it is installed. */
export type LoadSdkDependency = <Module>(name: string) => Module;

/** Loads the SDK. Throws `ERR_PEER_MISSING` where neither generation is installed. */
export function loadSdk(): { sdk: Sdk; dependency: LoadSdkDependency } {
  const base = locatePeer('@opentelemetry/sdk-trace-base');
  const own = base ? undefined : locatePeer('@opentelemetry/sdk-trace');
  const location = base ?? own;
  // Asked for by name, the missing peer gives the message that tells what to install.
  if (location === undefined) return loadPeer('@opentelemetry/sdk-trace-base');
  const require = createRequire(location);
  const sdk = (own ? require(own) : require('@opentelemetry/sdk-trace')) as Sdk;
  return { sdk, dependency: <Module>(name: string) => require(name) as Module };
}
