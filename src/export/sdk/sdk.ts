import { createRequire } from 'node:module';

import type { TracerProvider } from '@opentelemetry/api';
import type { Sampler, SpanExporter, SpanProcessor, TracerConfig } from './sdk-types.ts';

import { locatePeer } from '../../base/peers.ts';
import * as bundled from './bundled-sdk.ts';

/*
 * The OpenTelemetry SDK: the one that the application has installed, so that there is only one, or
 * else that which comes with clew. 2.x is installed as `sdk-trace-base`, which since 2.12 is a thin
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
  ConsoleSpanExporter: new () => SpanExporter;
  AlwaysOnSampler: new () => Sampler;
  AlwaysOffSampler: new () => Sampler;
  ParentBasedSampler: new (options: { root: Sampler }) => Sampler;
  TraceIdRatioBasedSampler: new (ratio: number) => Sampler;
}

/** Loads a package the SDK depends on, in the version that fits it, however deep it is installed. */
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

/** It is imported and not required, so that it is in bundles of applications, too. */
function loadBundled(): LoadedSdk {
  return { sdk: bundled as unknown as Sdk, dependency: <Module>() => bundled as Module };
}
