import assert from 'node:assert/strict';
import { join } from 'node:path';

import { MODULES } from '../support/modules.ts';
import { requireService } from '../support/services.ts';
import { sectionsOf } from './support/page.ts';
import { Project } from './support/project.ts';

const TITLE = 'Redis streams and pub/sub';

/** An entry that is sent and worked on as the page has it, by either client. */
const TEST = `import assert from 'node:assert/strict';
import { test } from 'node:test';
import { trace } from '@opentelemetry/api';
import { traceTest } from 'clew/testing';
import { Redis } from 'ioredis';
import { createClient } from 'redis';
import { work } from './work.mjs';

const url = process.env.REDIS_URL;
const clients = {
  async ioredis(stream) {
    const client = new Redis(url);
    await client.xadd(stream, '*', 'order', '7');
    const [[, entries]] = await client.xread('STREAMS', stream, '0');
    await client.del(stream);
    await client.quit();
    return entries;
  },
  async redis(stream) {
    const client = createClient({ url });
    await client.connect();
    await client.xAdd(stream, '*', { order: '7' });
    const [{ messages }] = await client.xRead({ key: stream, id: '0' });
    await client.del(stream);
    await client.close();
    return messages;
  },
};
for (const [name, use] of Object.entries(clients)) {
  test(name, async () => {
    const found = await traceTest('request', async () => {
      const entries = await use('orders-' + name + process.pid);
      await work(entries, (fields) => {
        assert.equal(fields.order, '7');
        trace.getTracer('app').startSpan('handle').end();
      });
    });
    found.hasOneRoot('request').hasNoErrors().hasNoOpenSpans();
    found.hasSpan({ name: /^send orders/, kind: 'producer', parent: 'request' });
    found.hasSpan({ name: 'handle', parent: /^send orders/ });
    const sent = found.find(/^send/);
    const [{ spanId }] = found.find(/^receive/).links;
    assert.equal(spanId, sent.spanId);
  });
}\n`;

describe('docs/messaging.md', function () {
  this.timeout(120_000);
  let url: string;
  let project: Project | undefined;

  before(async function () {
    url = await requireService(this, 'redis');
  });
  afterEach(() => project?.remove());

  it('has an entry of a stream worked on in the trace of its producer, by either client', async () => {
    const section = sectionsOf('docs/messaging.md').find(({ title }) => title === TITLE);
    const [begun, sample, ...others] = section?.blocks ?? [];
    assert.ok(begun && sample && others.length === 0);
    project = new Project();
    for (const name of ['ioredis', 'redis']) {
      project.link(`node_modules/${name}`, join(MODULES, name));
    }
    const options = begun.text.replace('ioredis:', 'redis: { streamContext: true }, ioredis:');
    project.write(
      'telemetry.mjs',
      `import { getInstrumentations, start } from 'clew';\n${options}\n`,
    );
    const [imports, ...code] = sample.text.split('\n');
    project.write(
      'work.mjs',
      `${imports}\nexport async function work(entries, handle) {\n${code.join('\n')}\n}\n`,
    );
    project.write('stream.test.mjs', TEST);
    const command =
      'node --import ./telemetry.mjs --import clew/testing --test --test-reporter tap stream.test.mjs';
    const {
      code: status,
      stdout,
      stderr,
    } = await project.run(command, { REDIS_URL: url, OTEL_TRACES_EXPORTER: 'none' }).result();
    assert.equal(status, 0, stdout + stderr);
    assert.match(stdout, /^# pass 2$/m);
  });
});
