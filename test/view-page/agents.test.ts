import assert from 'node:assert/strict';
import { fileURLToPath } from 'node:url';

import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';

import { answerIn } from '../cli/support/json-answer.ts';
import { requireService } from '../support/services.ts';
import { visitedWorld, type World } from './support/real-application.ts';

const MAIN = fileURLToPath(new URL('../../src/cli/main.js', import.meta.url));

/** Answers are JSON of many shapes. */
// oxlint-disable-next-line typescript/no-explicit-any
type Answer = any;

describe("clew mcp on the demo's data, asked by the client of the SDK", function () {
  this.timeout(120_000);
  let world: World;
  const client = new Client({ name: 'test', version: '1' });

  before(async function () {
    world = await visitedWorld(await requireService(this, 'postgresql', { embedded: true }));
    const args = [MAIN, 'mcp', '--from', world.viewer.pageUrl];
    await client.connect(
      new StdioClientTransport({ command: process.execPath, args, stderr: 'ignore' }),
    );
  });
  after(() => client.close());

  const ask = async (name: string, input: Record<string, unknown> = {}): Promise<Answer> => {
    const { content } = (await client.callTool({ name, arguments: input })) as {
      content: { text: string }[];
    };
    const text = content[0]?.text ?? '';
    return answerIn(text);
  };

  it('lists the requests that were slow, and those that failed', async () => {
    const { requests } = await ask('list_requests', { show: 'slowest', limit: 50 });
    const times = requests.map(({ durationMs }: { durationMs: number }) => durationMs);
    assert.deepEqual(
      times,
      times.toSorted((a: number, b: number) => b - a),
    );
    const failed = await ask('list_requests', { show: 'failed', search: '/reports' });
    assert.ok(failed.requests.length > 0);
    for (const { name, statusCode } of failed.requests) {
      assert.deepEqual([name, statusCode], ['GET /reports', '500']);
    }
    const [{ traceId }] = failed.requests;
    const [root] = (await ask('why_slow', { trace: traceId })).tree;
    const query = root.children.find(({ name }: { name: string }) => name === 'SELECT reports');
    const { span } = await ask('show_span', { trace: traceId, span: query.slowest });
    assert.match(JSON.stringify(span), /42P01/);
    assert.match(JSON.stringify(span), /relation .* does not exist/);
  });

  it('answers why an order was slow, what it waited for, and how two differ', async () => {
    const { requests } = await ask('list_requests', { search: '/orders/', limit: 50 });
    // A request that was held up by an order has the order's name, too.
    const orders = requests.filter(({ name }: { name: string }) =>
      name.startsWith('POST /orders/'),
    );
    const [{ traceId: a, durationMs }, { traceId: b }] = orders;
    const why = await ask('why_slow', { trace: a });
    assert.equal(why.request.name, 'POST /orders/:id/:quantity');
    assert.ok(why.typical.requests >= 2);
    const names = why.tree[0].children.map(({ name }: { name: string }) => name);
    for (const name of ['BEGIN', 'UPDATE products', 'INSERT orders', 'COMMIT']) {
      assert.ok(names.includes(name), names.join(', '));
    }
    const { criticalPath } = await ask('what_it_waited_for', { trace: a });
    const sum = criticalPath.reduce(
      (total: number, { criticalMs }: { criticalMs: number }) => total + criticalMs,
      0,
    );
    assert.ok(Math.abs(sum - durationMs) < durationMs * 0.05 + 0.1, `${sum} of ${durationMs}`);
    const two = await ask('compare_requests', { a, b });
    assert.deepEqual([two.a.traceId, two.b.traceId], [a, b]);
    assert.ok(two.differences.length > 0);
  });

  it('answers where a parent was lost, and what to do', async () => {
    const { findings, next } = await ask('lost_parents');
    // The shop loses nothing; the workshop's queue does.
    assert.match(findings[0].name, /^CLEW-LOST-/);
    assert.ok(findings[0].spans.length > 0);
    assert.match(next, /clew doctor/);
  });
});
