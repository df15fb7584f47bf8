import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';

import { createNoopMeter, metrics, ProxyTracerProvider, trace } from '@opentelemetry/api';
import { registerInstrumentations } from '@opentelemetry/instrumentation';
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-base';
import * as pgNamespace from 'pg';
import { Client, Pool } from 'pg';

import { setLogLevel } from '../../src/base/log.ts';
import { getInstrumentations, type Instrumentation } from '../../src/instrumentation/index.ts';
import { captureStderr } from '../support/capture-stderr.ts';
import { requireService } from '../support/services.ts';
import { registerMeasurements } from './support/measurements.ts';
import { registerTelemetry } from './support/telemetry.ts';

const only = (name: string): Instrumentation => {
  const found = getInstrumentations().find(
    ({ instrumentationName }) => instrumentationName === `clew/${name}`,
  );
  assert.ok(found);
  return found;
};

const setName = (target: object, value: string): object =>
  Object.defineProperty(target, 'name', { value, configurable: true });

describe('Instrumentation', () => {
  let url: string;
  let unpatched: unknown;

  before(async function () {
    this.timeout(120_000);
    url = await requireService(this, 'postgresql');
    unpatched = Object.getOwnPropertyDescriptor(Client.prototype, 'query')?.value;
  });

  const query = async (): Promise<void> => {
    const client = new Client(url);
    await client.connect();
    await client.query('select 1');
    await client.end();
  };

  it('is enabled and disabled by registerInstrumentations, and records to the provider given', async () => {
    const exporter = new InMemorySpanExporter();
    const tracerProvider = new BasicTracerProvider({
      spanProcessors: [new SimpleSpanProcessor(exporter)],
    });
    const unregister = registerInstrumentations({
      instrumentations: getInstrumentations(),
      tracerProvider,
    });
    await query();
    unregister();
    await query();
    const [span, ...others] = exporter.getFinishedSpans();
    assert.equal(others.length, 0);
    assert.equal(span?.instrumentationScope.name, 'clew/pg');
    const manifest = readFileSync(new URL('../../../package.json', import.meta.url), 'utf8');
    const { version } = JSON.parse(manifest) as { version: string };
    assert.equal(span?.instrumentationScope.version, version);
  });

  it('records to a provider that is registered after it was enabled', async () => {
    const instrumentation = only('pg');
    instrumentation.setTracerProvider(trace.getTracerProvider());
    instrumentation.setMeterProvider(metrics.getMeterProvider());
    instrumentation.enable();
    await query();
    const telemetry = registerTelemetry();
    instrumentation.setTracerProvider(trace.getTracerProvider());
    await query();
    instrumentation.disable();
    telemetry.onlySpan();
  });

  it('records where a bundler gave the classes of the SDK the names of those that do nothing', async () => {
    const telemetry = registerTelemetry();
    const measure = registerMeasurements();
    const pairs = [
      [new ProxyTracerProvider().getDelegate(), 'BasicTracerProvider'],
      [createNoopMeter(), metrics.getMeter('any').constructor.name],
    ] as const;
    const names = pairs.map(([{ constructor }]) => constructor.name);
    for (const [{ constructor }, name] of pairs) setName(constructor, name);
    const instrumentation = only('pg');
    instrumentation.enable();
    await query();
    instrumentation.disable();
    for (const [at, [{ constructor }]] of pairs.entries()) setName(constructor, names[at] ?? '');
    telemetry.onlySpan();
    assert.equal((await measure('db.client.operation.duration')).length, 1);
  });

  it('patches a library that is given to it, as a namespace too', async () => {
    const telemetry = registerTelemetry();
    const undo = only('pg').instrument(pgNamespace);
    await query();
    undo();
    await query();
    assert.ok(Client.prototype.query === unpatched);
    telemetry.onlySpan();
  });

  it('reports once that what it was given is not the library', () => {
    const level = setLogLevel('warn');
    const lines = captureStderr(() => {
      const instrumentation = only('pg');
      instrumentation.instrument({ Client: () => undefined });
      instrumentation.instrument(undefined);
    });
    setLogLevel(level);
    assert.equal(lines.filter((line) => line.includes('is not pg')).length, 1);
  });

  it('does not patch what is turned off', () => {
    const [instrumentation] = getInstrumentations({ pg: { enabled: false } });
    assert.notEqual(instrumentation?.instrumentationName, 'clew/pg');
    assert.ok(Client.prototype.query === unpatched);
  });

  it('takes a new configuration for the operations that start from then on', async () => {
    const telemetry = registerTelemetry();
    const instrumentation = only('pg');
    instrumentation.enable();
    instrumentation.setConfig({ ignore: () => true });
    await query();
    assert.equal(telemetry.spans().length, 0);
    assert.throws(() => instrumentation.setConfig({ maxTextLength: -1 }), { code: 'ERR_OPTION' });
    instrumentation.disable();
  });

  it('leaves a query alone whose context is suppressed', async () => {
    const { suppressTracing } = await import('@opentelemetry/core');
    const { context } = await import('@opentelemetry/api');
    const telemetry = registerTelemetry();
    const instrumentation = only('pg');
    instrumentation.enable();
    const pool = new Pool({ connectionString: url, max: 1 });
    await context.with(suppressTracing(context.active()), () => pool.query('select 1'));
    await pool.end();
    instrumentation.disable();
    assert.equal(telemetry.spans().length, 0);
  });
});
