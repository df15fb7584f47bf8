import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { RunningNode } from '../../support/run-node.ts';
import { bundle } from '../support/bundle.ts';
import { APPLICATIONS, type Application } from './bundled-applications.ts';

/** An application whose modules are instrumented by hand where its last argument says so. */
function sourceOf(client: string, file: string, application: Application): string {
  const { instrumentation = client, driver, use } = application;
  return `
    import { AsyncLocalStorage } from 'node:async_hooks';
    import { context, trace } from '@opentelemetry/api';
    import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base';
    import { AsyncHooksContextManager, getInstrumentations } from 'clew';
    import * as client from ${JSON.stringify(file)};
    ${driver === undefined ? '' : `import * as driver from '${driver}';`}
    context.setGlobalContextManager(new AsyncHooksContextManager().enable());
    const exporter = new InMemorySpanExporter();
    trace.setGlobalTracerProvider(
      new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] }));
    const [url, isByHand] = process.argv.slice(2);
    const instrumentations = getInstrumentations();
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
    use().then(() => {
      const operations = exporter.getFinishedSpans().map(({ name, attributes }) =>
        [name.split(' ')[0], attributes['server.port']].filter(Boolean).join(' '));
      process.stdout.write(JSON.stringify({ operations, seen }));
    });`;
}

const FORMS = {
  esm: { format: 'esm', minify: false },
  'cjs, minified': { format: 'cjs', minify: true },
} as const;

describe('A client in a bundled application', function () {
  this.timeout(60_000);
  let folder: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'clew-bundle-'));
  });

  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  for (const [client, application] of Object.entries(APPLICATIONS)) {
    for (const [form, { format, minify }] of Object.entries(FORMS)) {
      it(`is instrumented by hand: ${client}, ${form}`, async function () {
        const needs = (await application.needs?.(this)) ?? {};
        const { url = '', file = client, native, beside = [], without = [] } = needs;
        const source = sourceOf(client, file, application);
        const app = await bundle({ source, format, minify, folder, native, beside, without });
        const [alone, byHand] = await Promise.all([
          new RunningNode([app, url]).result(),
          new RunningNode([app, url, 'by hand']).result(),
        ]);
        await needs.stop?.();
        const { operations, seen = [] } = application;
        const port = URL.canParse(url) ? new URL(url).port : '';
        const expected = operations.map((operation) => operation.replace('PORT', port));
        assert.match(alone.stdout, /^\{"operations":\[\]/, alone.stderr);
        const result: unknown = JSON.parse(byHand.stdout || JSON.stringify(byHand.stderr));
        assert.deepEqual(result, { operations: expected, seen });
      });
    }
  }
});
