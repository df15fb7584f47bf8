import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { RECORD_HEADER, signRecordHeader } from '../../src/tracer/recording/signed-header.ts';
import { OtlpReceiver, type ReceivedSpan } from '../support/otlp-receiver.ts';
import { toObject } from '../support/otlp-types.ts';
import { fixture, REGISTER_URL, RunningNode } from '../support/run-node.ts';

const SECRET = 'sixteen characters and more';
const TYPE = 'clew.async_resource.type';

describe('a request marked by a signed header, in a process that exports', function () {
  this.timeout(120_000);
  let folder: string;
  let spans: ReceivedSpan[];

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'clew-marked-'));
    const receiver = await new OtlpReceiver().listen();
    const app = new RunningNode(['--import', REGISTER_URL, fixture('lookup-app.mjs')], {
      env: {
        OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
        CLEW_RECORD_SECRET: SECRET,
        CLEW_RECORD_FOLDER: folder,
        CLEW_HTTP_IGNORE_INCOMING: '/inner',
      },
    });
    const port = Number((await app.waitFor(/port (\d+)/))[1]);
    const get = async (url: string, header?: string): Promise<void> => {
      const headers: Record<string, string> = { connection: 'close' };
      if (header !== undefined) headers[RECORD_HEADER] = header;
      await (await fetch(`http://127.0.0.1:${port}${url}`, { headers })).text();
    };
    const sign = (url: string, secret = SECRET): string =>
      signRecordHeader({ secret, method: 'GET', url });
    const signed = sign('/marked?n=1');
    await get('/none');
    await get('/unsigned', '1');
    await get('/forged', sign('/forged', 'another secret of enough length'));
    await get('/other', sign('/marked?n=1'));
    await get('/marked?n=1', signed);
    // A header is good once: this one is a stranger's who saw it pass by.
    await get('/marked?n=1', signed);
    await receiver.waitUntil(
      () => receiver.spans.some((span) => span.name === 'async resources'),
      10_000,
    );
    app.child.kill('SIGTERM');
    const { code, stderr } = await app.result();
    assert.equal(code, 0, stderr);
    ({ spans } = receiver);
    await receiver.close();
  });

  after(() => rmSync(folder, { recursive: true }));

  const value = (span: ReceivedSpan, name: string): unknown => toObject(span.attributes)[name];
  const resources = (): ReceivedSpan[] => spans.filter((span) => value(span, TYPE) !== undefined);
  const marked = (): ReceivedSpan => {
    const first = resources()[0];
    const server = spans.find((span) => span.kind === 2 && span.traceId === first?.traceId);
    assert.ok(server, 'no server span in the trace of the async resources');
    return server;
  };
  const named = (name: string): ReceivedSpan => {
    const { traceId } = marked();
    const span = spans.find((one) => one.name === name && one.traceId === traceId);
    assert.ok(span, `no ${name} among ${spans.map((one) => one.name).join(', ')}`);
    return span;
  };

  it('sends its async resources with its trace, and those of no other request', () => {
    assert.equal(spans.filter((span) => span.kind === 2).length, 6);
    assert.equal(value(marked(), 'url.path') ?? value(marked(), 'http.target'), '/marked');
    assert.deepEqual(new Set(resources().map((span) => span.traceId)), new Set([marked().traceId]));
    assert.equal(spans.filter((span) => span.name === 'async resources').length, 1);
  });

  it('puts each under its trigger, or under the span that was active', () => {
    assert.equal(named('dns lookup').parentSpanId, marked().spanId);
    assert.equal(value(named('dns lookup'), 'clew.async_resource.description'), 'localhost');
    assert.equal(named('fs').parentSpanId, named('read').spanId);
    assert.equal(named('async resources').parentSpanId, marked().spanId);
    const ids = new Set(spans.map((span) => span.spanId));
    for (const span of resources()) assert.ok(ids.has(span.parentSpanId ?? ''), span.name);
  });

  it('shows the resource of an outgoing request in the span of that request, and in no other', () => {
    const { traceId } = marked();
    const client = spans.find((span) => span.kind === 3 && span.traceId === traceId);
    assert.ok(client);
    assert.equal(value(client, TYPE), 'HTTPCLIENTREQUEST');
    for (const name of ['id', 'trigger_id', 'execution_id', 'callbacks', 'run_ms']) {
      assert.equal(typeof value(client, `clew.async_resource.${name}`), 'number', name);
    }
    const others = resources().filter((span) => value(span, TYPE) === 'HTTPCLIENTREQUEST');
    assert.deepEqual(others, [client]);
    const unmarked = spans.filter((span) => span.kind === 3 && span.traceId !== traceId);
    assert.equal(unmarked.length, 5);
    for (const span of unmarked) assert.equal(value(span, TYPE), undefined);
  });

  it('reports which line created each', () => {
    const line = value(named('dns lookup'), 'clew.async_resource.created_at');
    assert.match(String(line), /lookup-app\.mjs:\d+/);
  });

  it('writes one recording, of that request', () => {
    assert.equal(readdirSync(folder).length, 1);
  });
});
