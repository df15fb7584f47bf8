import assert from 'node:assert/strict';
import { cpSync, writeFileSync } from 'node:fs';

import type { LossCounts } from '../../src/diagnosis/detector.ts';
import { OtlpReceiver, type ReceivedSpan } from '../support/otlp-receiver.ts';
import { fixture } from '../support/run-node.ts';
import { Project } from './project.ts';

const CLEW = new URL('../../src/index.js', import.meta.url).href;
const PRELOAD = `import { start } from '${CLEW}';
const clew = start();
process.on('exit', () => console.log(JSON.stringify(clew.stats().contextLosses ?? 'none')));
`;
/** Three requests of five are answered in a context of start-up, with several calls each. */
const THREE = `
import { AsyncLocalStorage } from 'node:async_hooks';
import http from 'node:http';
const atStartUp = AsyncLocalStorage.snapshot();
const server = http.createServer((req, res) => {
  const answer = () => {
    res.setHeader('content-type', 'text/plain');
    res.write('a');
    res.end('b');
  };
  setImmediate(() => (req.url === '/lost' ? atStartUp(answer) : answer()));
});
server.listen(0, '127.0.0.1', async () => {
  const get = (path) =>
    atStartUp(() => new Promise((resolve) => {
      const options = { port: server.address().port, host: '127.0.0.1', path, agent: false };
      http.get(options, (res) => res.resume().on('end', resolve));
    }));
  for (const path of ['/lost', '/whole', '/lost', '/whole', '/lost']) await get(path);
  server.close();
});
`;
const markOf = (span: ReceivedSpan): string | undefined =>
  span.attributes.find(({ key }) => key === 'clew.context_loss')?.value.stringValue;
const pathOf = (span: ReceivedSpan): string | undefined =>
  span.attributes.find(({ key }) => key === 'url.path')?.value.stringValue;

describe('CLEW_TRACER=watch', function () {
  this.timeout(120_000);
  let project: Project;
  let receiver: OtlpReceiver;

  beforeEach(async () => {
    project = new Project();
    receiver = await new OtlpReceiver().listen();
    writeFileSync(project.path('start.mjs'), PRELOAD);
    project.env['OTEL_EXPORTER_OTLP_ENDPOINT'] = receiver.url.replace(/\/v1\/traces$/, '');
    project.env['OTEL_SEMCONV_STABILITY_OPT_IN'] = 'http';
  });
  afterEach(async () => {
    project.remove();
    await receiver.close();
  });

  async function run(level: string, file: string): Promise<LossCounts | 'none'> {
    project.env['CLEW_TRACER'] = level;
    const { code, stdout, stderr } = await project.node('--import', './start.mjs', file);
    assert.equal(code, 0, stderr);
    return JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as LossCounts | 'none';
  }

  it('marks spans that lost their parent, are below an ended request, or in another trace', async () => {
    const counts = await run('watch', 'classes.mjs');
    const marked = (name: string): (string | undefined)[] =>
      receiver.spans.filter((span) => span.name === name && markOf(span)).map(markOf);
    assert.deepEqual(marked('query'), ['CLEW-LOST-QUEUE']);
    assert.deepEqual(marked('refresh'), Array(4).fill('CLEW-STALE-TIMER'));
    // Spans of requests whose work went astray.
    const requests = new Map(
      receiver.spans.filter((span) => span.kind === 2).map((span) => [pathOf(span), markOf(span)]),
    );
    assert.equal(requests.get('/queue'), 'CLEW-LOST-QUEUE');
    assert.equal(requests.get('/emitter'), 'CLEW-LOST-EMITTER');
    assert.equal(requests.get('/node'), 'CLEW-LOST-CALLBACK');
    assert.equal(requests.get('/wait'), 'CLEW-MIXED-EMITTER');
    for (const healthy of ['/go', '/timer', '/inactive']) {
      assert.ok(requests.has(healthy));
      assert.equal(requests.get(healthy), undefined, healthy);
    }
    assert.notEqual(counts, 'none');
    const { lost, mixed, stale } = counts as LossCounts;
    // The ticks of a batch are more or fewer.
    assert.ok(lost >= 3 && mixed >= 5 && stale > 4, JSON.stringify(counts));
  });

  it('counts each request that lost its context once, and no other', async () => {
    writeFileSync(project.path('three.mjs'), THREE);
    const { lost, mixed, stale } = (await run('watch', 'three.mjs')) as LossCounts;
    assert.deepEqual({ lost, mixed, stale }, { lost: 3, mixed: 0, stale: 0 });
    const served = receiver.spans.filter(({ kind }) => kind === 2);
    const marks = served.map((span) => `${pathOf(span)} ${markOf(span)}`);
    assert.deepEqual(marks.toSorted(), [
      ...Array<string>(3).fill('/lost CLEW-LOST-CALLBACK'),
      ...Array<string>(2).fill('/whole undefined'),
    ]);
  });

  it('marks nothing in a healthy application', async () => {
    cpSync(fixture('diagnosis-healthy/app.mjs'), project.path('healthy.mjs'));
    project.env['SECONDS'] = '2';
    const counts = await run('watch', 'healthy.mjs');
    assert.ok(receiver.spans.length > 20);
    assert.deepEqual([...new Set(receiver.spans.map(markOf))], [undefined]);
    assert.notEqual(counts, 'none');
    const { lost, mixed, stale } = counts as LossCounts;
    assert.deepEqual({ lost, mixed, stale }, { lost: 0, mixed: 0, stale: 0 });
  });

  it('is what it takes: without it nothing is marked or counted', async () => {
    assert.equal(await run('off', 'classes.mjs'), 'none');
    assert.ok(receiver.spans.length > 20);
    assert.ok(receiver.spans.every((span) => markOf(span) === undefined));
  });
});
