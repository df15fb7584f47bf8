import assert from 'node:assert/strict';

import { startReceiver, type OtlpReceiver } from '../support/otlp-receiver.ts';
import { cachedInstall } from '../support/user-cache.ts';
import { sectionsOf, type Section } from './support/page.ts';
import { Project } from './support/project.ts';

const sections = sectionsOf('docs/moving.md');

/** Looks a name up and answers a request: each of the two has a span where it is asked for. */
const APP = `import { lookup } from 'node:dns/promises';
import { once } from 'node:events';
import { createServer } from 'node:http';
await lookup('localhost');
const server = createServer((request, response) => response.end()).listen(0, '127.0.0.1');
await once(server, 'listening');
await fetch('http://127.0.0.1:' + server.address().port + '/');
server.close();\n`;

describe('docs/moving.md', function () {
  this.timeout(180_000);
  let receiver: OtlpReceiver;
  let project: Project | undefined;

  before(async () => {
    receiver = await startReceiver();
  });
  beforeEach(() => receiver.clear());
  afterEach(() => project?.remove());
  after(() => receiver.close());

  function section(title: RegExp): Section {
    return sections.find((one) => title.test(one.title)) ?? assert.fail(String(title));
  }

  /** Runs a command of a section, and returns the names of the spans that arrived. */
  async function spansOf({ blocks }: Section, index: number, app = APP): Promise<string[]> {
    const commands = blocks.filter(({ language }) => language === 'sh');
    project?.write('app.mjs', app);
    const command = commands[index]?.text ?? assert.fail('no command');
    // The endpoint of the document is that of a collector on this machine.
    const running = project?.run(command.replace('http://localhost:4318', receiver.url), {
      OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
    });
    const { code, stderr } = (await running?.result()) ?? assert.fail();
    assert.equal(code, 0, stderr);
    assert.doesNotMatch(stderr, /^clew: /m);
    return receiver.spans.map(({ name }) => name).toSorted();
  }

  it('from the context manager: one import changes', async () => {
    project = new Project(section(/context-async-hooks/).blocks);
    project.write(
      'app.mjs',
      `import './context.mjs';
import { context, createContextKey } from '@opentelemetry/api';
const KEY = createContextKey('key');
context.with(context.active().setValue(KEY, 'kept'), () =>
  setImmediate(() => console.log(context.active().getValue(KEY))));\n`,
    );
    const { stdout, stderr } = await project.run('node app.mjs').result();
    assert.equal(stdout, 'kept\n', stderr);
  });

  it('from auto-instrumentations: the preload, and an instrumentation that is kept', async () => {
    const found = section(/auto-instrumentations/);
    project = new Project(found.blocks, [
      cachedInstall('documents-2', ['@opentelemetry/instrumentation-dns@0.67.0']),
    ]);
    assert.deepEqual(await spansOf(found, 0), ['GET', 'GET']);
    receiver.clear();
    assert.deepEqual(new Set(await spansOf(found, 1)), new Set(['GET', 'dns.lookup']));
  });

  it('from dd-trace: the preload, and a span of the application', async () => {
    const found = section(/dd-trace/);
    project = new Project(found.blocks);
    const app = `import { trace } from '@opentelemetry/api';
import { checkout } from './checkout.mjs';
await checkout([1], async () => trace.getTracer('test').startSpan('paid').end());\n`;
    assert.deepEqual(await spansOf(found, 0, app), ['checkout', 'paid']);
  });

  it('from Sentry: errors go there, spans to the collector', async () => {
    const found = section(/Sentry/);
    project = new Project(found.blocks, [
      cachedInstall('doctor-sentry-11.12', ['@sentry/node@11.12.0']),
    ]);
    assert.deepEqual(await spansOf(found, 0), ['GET', 'GET']);
  });
});
