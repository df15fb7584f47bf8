import assert from 'node:assert/strict';

import { metrics, trace } from '@opentelemetry/api';
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
import { registerTelemetry } from './support/telemetry.ts';

const only = (name: string): Instrumentation => {
  const found = getInstrumentations().find(
    ({ instrumentationName }) => instrumentationName === `clew/${name}`,
  );
  assert.ok(found);
  return found;
};

describe('Instrumentation', () => {
  let url: string;
  let unpatched: unknown;

  before(async function () {
    this.timeout(40_000);
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
    assert.match(span?.instrumentationScope.version ?? '', /^\d+\.\d+\.\d+/);
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

  it('patches a library that is given to it, as a namespace too', async () => {
    const telemetry = registerTelemetry();
    const undo = only('pg').instrument(pgNamespace);
    await query();
    undo();
    await query();
    assert.ok(Client.prototype.query === unpatched);
    telemetry.onlySpan();
  });

  it('says once that what it was given is not the library', () => {
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
