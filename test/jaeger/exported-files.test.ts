import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import sinon from 'sinon';

import { exportTraces } from '../../src/cli/view/export.ts';
import { JaegerQuery } from '../support/jaeger-query.ts';
import { requireService } from '../support/services.ts';
import { otlp } from '../viewer/support/spans.ts';

describe('files of clew export in a real Jaeger', function () {
  this.timeout(120_000);
  let base: string;
  let otlpUrl: string;
  let folder: string;
  let file: string;
  /** Of this run. */
  const trace = randomBytes(16).toString('hex');

  before(async function () {
    const url = new URL(await requireService(this, 'jaeger'));
    base = url.origin;
    otlpUrl = `http://${url.hostname}:${url.searchParams.get('otlp') ?? '4318'}/v1/traces`;
    folder = mkdtempSync(join(tmpdir(), 'clew-exported-'));
    file = join(folder, 'from.json');
    const attributes = { text: 'ä', list: ['a', 'b'], flag: true, number: 7, share: 0.5 };
    const spans = [
      { id: 'a1', trace, name: 'GET /orders', attributes },
      {
        id: 'b2',
        trace,
        parent: 'a1',
        name: 'SELECT orders',
        start: 1,
        end: 5,
        failed: 'no such table',
        events: [{ name: 'exception', at: 2, attributes: { 'exception.type': 'Error' } }],
        links: [{ trace: 'ee', span: 'ff', attributes: { 'clew.link': 'batch' } }],
      },
    ];
    writeFileSync(file, JSON.stringify(otlp(...spans)));
  });
  after(() => folder && rmSync(folder, { recursive: true }));

  const exported = async (format: string): Promise<string> => {
    const out = join(folder, `${format}.json`);
    const print = sinon.stub(console, 'log');
    try {
      assert.equal(await exportTraces([`--${format}`, '--out', out, file]), 0);
    } finally {
      print.restore();
    }
    return readFileSync(out, 'utf8');
  };
  const post = (url: string, body: string): Promise<Response> =>
    fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body });

  it('OTLP/JSON is taken by the collector, every span of it', async () => {
    const response = await post(otlpUrl, await exported('otlp-json'));
    assert.equal(response.status, 200, await response.text());
    const query = new JaegerQuery(base);
    const spans = await query.waitForTrace(trace, 2);
    const select = [...spans.values()].find(({ name }) => name === 'SELECT orders');
    assert.match(select?.parentSpanId ?? '', /a1$/);
    assert.equal(select?.links?.length, 1);
    assert.deepEqual(await query.warningsOf(trace), []);
  });

  it("is what Jaeger's upload makes of OTLP/JSON, as Jaeger's JSON", async () => {
    const response = await post(`${base}/api/transform`, await exported('otlp-json'));
    assert.equal(response.status, 200);
    const theirs = (await response.json()) as Upload;
    const ours = JSON.parse(await exported('jaeger-json')) as Upload;
    assert.deepEqual(comparable(ours), comparable(theirs));
  });
});

/** What Jaeger's page is given, as far as both have it. */
interface Upload {
  data: {
    traceID: string;
    spans: {
      traceID: string;
      spanID: string;
      operationName: string;
      references: { refType: string; traceID: string; spanID: string }[];
      startTime: number;
      duration: number;
      tags: { key: string; type: string; value: unknown }[];
      logs: { timestamp: number; fields: object[] }[];
    }[];
  }[];
}

function comparable({ data }: Upload): unknown[] {
  return data.map(({ traceID, spans }) => [
    traceID,
    spans
      .map((span) => ({
        id: span.spanID,
        name: span.operationName,
        references: span.references.map((one) => [one.refType, one.traceID, one.spanID]),
        times: [span.startTime, span.duration],
        tags: span.tags.map((tag) => JSON.stringify([tag.key, tag.type, tag.value])).toSorted(),
        logs: span.logs.map(({ timestamp, fields }) => [timestamp, fields.length]),
      }))
      .toSorted((a, b) => (a.id < b.id ? -1 : 1)),
  ]);
}
