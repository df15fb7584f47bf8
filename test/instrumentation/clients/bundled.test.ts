import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { RunningNode } from '../../support/run-node.ts';
import { requireService } from '../../support/services.ts';
import { bundle } from '../support/bundle.ts';
import { APPLICATIONS, type Application } from './bundled-applications.ts';

/** An application whose modules are instrumented by hand where its last argument says so. */
function sourceOf(client: string, file: string, application: Application): string {
  const { instrumentation = client, driver, use } = application;
  return `
    import { AsyncLocalStorage } from 'node:async_hooks';
    import { context, metrics, trace } from '@opentelemetry/api';
    import { AggregationTemporality, InMemoryMetricExporter, MeterProvider, PeriodicExportingMetricReader } from '@opentelemetry/sdk-metrics';
    import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base';
    import { AsyncHooksContextManager, getInstrumentations } from 'clew';
    import * as client from ${JSON.stringify(file)};
    ${driver === undefined ? '' : `import * as driver from '${driver}';`}
    context.setGlobalContextManager(new AsyncHooksContextManager().enable());
    const exporter = new InMemorySpanExporter();
    trace.setGlobalTracerProvider(
      new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] }));
    const metricExporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
    const reader = new PeriodicExportingMetricReader({ exporter: metricExporter });
    metrics.setGlobalMeterProvider(new MeterProvider({ readers: [reader] }));
    const [url, isByHand] = process.argv.slice(2);
    const instrumentations = getInstrumentations({ all: { requireParent: false } });
    for (const one of instrumentations) one.enable();
    const instrument = (name, module) => {
      const own = instrumentations.find((one) => one.instrumentationName === 'clew/' + name);
      if (isByHand) own.instrument(module);
    };
    instrument('${instrumentation}', client);
    ${driver === undefined ? '' : `instrument('${driver}', driver);`}
    const storage = new AsyncLocalStorage();
    const seen = [];
    const use = async () => { ${use} };
    use().then(() => reader.shutdown()).then(() => {
      const operations = exporter.getFinishedSpans().map(({ name, attributes }) =>
        [name.split(' ')[0], attributes['server.port'], attributes['error.type']].filter(Boolean).join(' '));
      const timeouts = metricExporter.getMetrics().flatMap(({ scopeMetrics }) => scopeMetrics)
        .flatMap((scope) => scope.metrics)
        .filter(({ descriptor }) => descriptor.name === 'db.client.connection.timeouts')
        .flatMap(({ dataPoints }) => dataPoints).reduce((sum, { value }) => sum + value, 0);
      process.stdout.write(JSON.stringify({ operations, timeouts, seen }));
    });`;
}

/** The files a bundler makes; `isWhole` with this package and the SDK in it, as is its default. */
const FORMS = {
  esm: { format: 'esm', minify: false },
  'cjs, minified': { format: 'cjs', minify: true },
} as const;
const WHOLE_FORMS = {
  'esm, in one file with this package': { ...FORMS.esm, isWhole: true },
  'cjs, minified, in one file with this package': { ...FORMS['cjs, minified'], isWhole: true },
};

describe('A client in a bundled application', function () {
  this.timeout(120_000);
  let folder: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'clew-bundle-'));
  });

  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  for (const [client, application] of Object.entries(APPLICATIONS)) {
    const forms = client === 'pg' ? { ...FORMS, ...WHOLE_FORMS } : FORMS;
    for (const [name, form] of Object.entries(forms)) {
      it(`is instrumented by hand: ${client}, ${name}`, async function () {
        const needs = (await application.needs?.(this)) ?? {};
        const { url = '', file = client } = needs;
        const source = sourceOf(client, file, application);
        const { keepNames = false } = application;
        const app = await bundle({ ...form, ...needs, source, folder, keepNames });
        const [alone, byHand] = await Promise.all([
          new RunningNode([app, url]).result(),
          new RunningNode([app, url, 'by hand']).result(),
        ]);
        await needs.stop?.();
        const { operations, timeouts = 0, seen = [] } = application;
        const port = URL.canParse(url) ? new URL(url).port : '';
        const expected = operations.map((operation) => operation.replace('PORT', port));
        assert.match(alone.stdout, /^\{"operations":\[\]/, alone.stderr);
        const result: unknown = JSON.parse(byHand.stdout || JSON.stringify(byHand.stderr));
        assert.deepEqual(result, { operations: expected, timeouts, seen });
      });
    }
  }

  for (const [name, form] of Object.entries(WHOLE_FORMS)) {
    it(`is instrumented by hand beside start(): pg, ${name}`, async function () {
      const source = `
        import { getInstrumentations, start } from 'clew';
        import * as client from 'pg';
        const clew = start();
        getInstrumentations({ all: { requireParent: false } }).find((one) => one.instrumentationName === 'clew/pg').instrument(client);
        const url = process.argv[2];
        const use = async () => { ${APPLICATIONS['pg']?.use} };
        use().then(() => clew.shutdown());`;
      const url = await requireService(this, 'postgresql');
      const app = await bundle({ ...form, source, folder });
      const env = { OTEL_TRACES_EXPORTER: 'console' };
      const { code, stdout, stderr } = await new RunningNode([app, url], { env }).result();
      assert.match(stdout, /name: 'clew\/pg'[^]*name: 'select'/, stderr);
      assert.equal(code, 0, stderr);
    });
  }
});
