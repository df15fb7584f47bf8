import assert from 'node:assert/strict';

import { accepts, freePort } from '../support/instances.ts';
import { startReceiver, type OtlpReceiver, type ReceivedSpan } from '../support/otlp-receiver.ts';
import { toObject } from '../support/otlp-types.ts';
import { sectionsOf, type Block } from './support/page.ts';
import { Project } from './support/project.ts';

const sections = sectionsOf('docs/recipes.md');

/** A service that answers, and takes what the recipes are about from its path. */
const APP = `import { createServer } from 'node:http';

createServer((request, response) => response.end('hello'))
  .listen(process.env.PORT, '127.0.0.1', () => console.log('listening'));\n`;

/** Uses each of the modules, inside a request and around it. */
const TOUR = `import { createServer } from 'node:http';
import { once } from 'node:events';
import { context, trace } from '@opentelemetry/api';
import { checkout } from './checkout.mjs';
import { later } from './later.mjs';
import { notePlan } from './plan.mjs';
import { Queue } from './queue.mjs';
import { withTenant } from './tenant.mjs';

const tracer = trace.getTracer('test');
const leaf = (name) => tracer.startSpan(name).end();
const queue = new Queue();
const server = createServer(async (request, response) => {
  notePlan({ plan: 'gold' });
  await checkout([1, 2], async () => leaf('paid'));
  await checkout([], async () => { throw new RangeError('empty'); }).catch(() => {});
  await later('report', async () => leaf('in report'));
  queue.push(() => leaf('queued'));
  response.end(request.headers.baggage ?? '');
}).listen(0, '127.0.0.1');
await once(server, 'listening');
const response = await withTenant('acme', () =>
  fetch('http://127.0.0.1:' + server.address().port + '/'));
console.log('baggage', await response.text());
tracer.startActiveSpan('other request', (span) => { queue.runNext(); span.end(); });
server.close();\n`;

describe('docs/recipes.md', function () {
  this.timeout(120_000);
  let receiver: OtlpReceiver;
  let project: Project | undefined;

  before(async () => {
    receiver = await startReceiver();
  });
  beforeEach(() => receiver.clear());
  afterEach(() => project?.remove());
  after(() => receiver.close());

  const blocksOf = (title: string): Block[] => {
    const found = sections.find((one) => one.title === title);
    assert.ok(found, title);
    return found.blocks;
  };
  const shellOf = (title: string): string =>
    blocksOf(title).find(({ language }) => language === 'sh')?.text ?? assert.fail(title);
  const spanOf = (name: string): ReceivedSpan => {
    const found = receiver.spans.find((span) => span.name === name);
    return found ?? assert.fail(`${name} of ${receiver.spans.map((one) => one.name).join()}`);
  };

  /** The paths of the requests that have a span, of those that were made. */
  async function recorded(
    title: string,
    command: string,
    requests: readonly [path: string, headers?: Record<string, string>][],
  ): Promise<unknown[]> {
    project = new Project(blocksOf(title));
    project.write('app.mjs', APP);
    const port = await freePort();
    const env = { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url, PORT: String(port) };
    const server = project.run(command, env);
    await server.waitFor(/listening/);
    assert.ok(await accepts(port));
    for (const [path, headers = {}] of requests) {
      await (await fetch(`http://127.0.0.1:${port}${path}`, { headers })).text();
    }
    server.child.kill('SIGTERM');
    await server.result();
    return receiver.spans.map((span) => toObject(span.attributes)['url.path']);
  }

  it('leaves out health checks by path', async () => {
    const title = 'Leave out health checks';
    const requests = [['/healthz'], ['/internal/a'], ['/shop']] as [string][];
    assert.deepEqual(await recorded(title, shellOf(title), requests), ['/shop']);
  });

  it('leaves out health checks by a function', async () => {
    const requests: [string, Record<string, string>?][] = [
      ['/probed', { 'user-agent': 'kube-probe/1.34' }],
      ['/shop'],
    ];
    const start = shellOf('Recipes');
    assert.deepEqual(await recorded('Leave out health checks', start, requests), ['/shop']);
  });

  it('samples, and starts with a library left out and ids in the console', async () => {
    const requests = Array.from({ length: 60 }, () => ['/shop'] as [string]);
    const seen = await recorded('Sample', shellOf('Sample'), requests);
    assert.ok(seen.length < requests.length / 2, `${seen.length} of ${requests.length}`);
    // One process for both: what they set together has to be as if each were alone.
    const others = ['Leave out a library', 'Find the log lines of a trace'].map(shellOf);
    const env = others.map((one) => one.split(' ')[0]);
    const command = 'node --import clew/register app.mjs';
    assert.ok(others.every((one) => one.endsWith(command)));
    receiver.clear();
    assert.deepEqual(await recorded('Sample', `${env.join(' ')} ${command}`, [['/shop']]), [
      '/shop',
    ]);
  });

  it('makes spans, adds attributes, links what outlives a request, passes baggage, keeps callers', async () => {
    const titles = sections.map(({ title }) => title);
    project = new Project(titles.flatMap(blocksOf));
    project.write('tour.mjs', TOUR);
    const tour = project.run(shellOf('Recipes').replace('app.mjs', 'tour.mjs'), {
      OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
    });
    const { code, stdout, stderr } = await tour.result();
    assert.equal(code, 0, stderr);
    assert.equal(stderr, '');
    assert.match(stdout, /^baggage tenant=acme$/m);

    const request = receiver.spans.find(({ kind }) => kind === 2);
    assert.ok(request);
    assert.equal(toObject(request.attributes)['shop.plan'], 'gold');
    const checkouts = receiver.spans.filter(({ name }) => name === 'checkout');
    assert.deepEqual(
      checkouts.map(({ parentSpanId, status, attributes, events }) => [
        parentSpanId === request.spanId,
        toObject(attributes)['cart.items'],
        status?.message,
        events.map(({ name }) => name),
      ]),
      [
        [true, 2, undefined, []],
        [true, 0, 'empty', ['exception']],
      ],
    );
    assert.equal(spanOf('paid').parentSpanId, checkouts[0]?.spanId);
    const report = spanOf('report');
    assert.notEqual(report.traceId, request.traceId);
    assert.deepEqual(
      report.links?.map(({ spanId }) => spanId),
      [request.spanId],
    );
    assert.equal(spanOf('in report').parentSpanId, report.spanId);
    assert.equal(spanOf('queued').parentSpanId, request.spanId);
    // The recipe's processor copies what travelled here by the header.
    assert.equal(toObject(spanOf('paid').attributes)['tenant'], 'acme');
    assert.equal(toObject(spanOf('other request').attributes)['tenant'], undefined);
  });
});
