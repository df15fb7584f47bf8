import { createRequire } from 'node:module';

import type { TracerProvider } from '@opentelemetry/api';
import type { Sampler, SpanExporter, SpanProcessor, TracerConfig } from './sdk-types.ts';

import { locatePeer } from '../../base/peers.ts';
import * as bundled from './bundled-sdk.ts';

/*
 * Loads the OpenTelemetry SDK: the one that the application has installed, so that there is only
 * one, or else the one bundled with clew. 2.x is installed as `sdk-trace-base`, which since 2.12
 * re-exports the same `sdk-trace` package as 3.x. So one interface serves both.
 */

/** A tracer provider of either SDK. */
export interface Provider extends TracerProvider {
  forceFlush(): Promise<void>;
  shutdown(): Promise<void>;
}

/** The parts that are used of `@opentelemetry/sdk-trace`. */
export interface Sdk {
  TracerProvider: new (config: TracerConfig) => Provider;
  SimpleSpanProcessor: new (options: { exporter: SpanExporter }) => SpanProcessor;
  ConsoleSpanExporter: new () => SpanExporter;
  AlwaysOnSampler: new () => Sampler;
  AlwaysOffSampler: new () => Sampler;
  ParentBasedSampler: new (options: { root: Sampler }) => Sampler;
  TraceIdRatioBasedSampler: new (ratio: number) => Sampler;
}

/** Loads a package that the SDK depends on, in the SDK's version, however deep it is installed. */
export type LoadSdkDependency = <Module>(name: string) => Module;

interface LoadedSdk {
  sdk: Sdk;
  dependency: LoadSdkDependency;
}

/** Loads the SDK. An installed one of another generation (1.x, 2.0 to 2.11) is left alone. */
export function loadSdk(): LoadedSdk {
  return loadInstalled() ?? loadBundled();
}

function loadInstalled(): LoadedSdk | undefined {
  const location =
    locatePeer('@opentelemetry/sdk-trace-base') ?? locatePeer('@opentelemetry/sdk-trace');
  if (location === undefined) return undefined;
  const require = createRequire(location);
  const found = locateFrom(require, '@opentelemetry/sdk-trace');
  if (found === undefined) return undefined;
  const sdk = require(found) as Sdk;
  return { sdk, dependency: <Module>(name: string) => require(name) as Module };
}

function locateFrom(require: NodeJS.Require, name: string): string | undefined {
  try {
    return require.resolve(name);
  } catch {
    return undefined;
  }
}

/** Imported and not required, so that bundlers include it, too. */
function loadBundled(): LoadedSdk {
  return { sdk: bundled as unknown as Sdk, dependency: <Module>() => bundled as Module };
}
