import assert from 'node:assert/strict';

import { fixture, REGISTER_URL, runNode } from '../../support/run-node.ts';

describe('logs under clew/register', function () {
  this.timeout(120_000);

  async function run(env: Record<string, string>): Promise<{ lines: any[]; console: string }> {
    const { code, stdout, stderr } = await runNode(
      ['--import', REGISTER_URL, fixture('logs/app.mjs')],
      { env: { OTEL_TRACES_EXPORTER: 'none', ...env } },
    );
    assert.equal(code, 0, stderr);
    assert.equal(stderr, '');
    const lines = stdout.trim().split('\n');
    return {
      lines: lines.filter((line) => line.startsWith('{')).map((line) => JSON.parse(line)),
      console: lines.find((line) => !line.startsWith('{')) ?? '',
    };
  }

  it('carry the ids of the request, through the worker thread of a transport, too', async () => {
    const { lines, console } = await run({});
    const inRequest = lines.filter(({ traceId }) => traceId !== undefined);
    const loggers = new Set(inRequest.map(({ logger }) => logger as string));
    assert.deepEqual(loggers, new Set(['pino', 'winston']));
    for (const line of inRequest) {
      assert.equal(line.trace_id, line.traceId);
      assert.match(line.span_id, /^[\da-f]{16}$/);
      assert.equal(line.trace_flags, '01');
    }
    const end = lines.find(({ msg }) => msg === 'end');
    assert.equal(end.trace_id, undefined);
    assert.equal(console, `console ${inRequest[0].traceId} 100%`);
  });

  it('use the names of CLEW_LOG_FIELDS, in the console on request', async () => {
    const { lines, console } = await run({ CLEW_LOG_FIELDS: 'trace,,', CLEW_LOG_CONSOLE: 'on' });
    const [line] = lines.filter(({ traceId }) => traceId !== undefined);
    assert.deepEqual([line.trace, 'span_id' in line], [line.traceId, false]);
    assert.equal(console, `console ${line.traceId} 100% trace=${line.traceId}`);
  });

  it('stay as they are with CLEW_LOG_FIELDS=off', async () => {
    const { lines } = await run({ CLEW_LOG_FIELDS: 'off' });
    assert.ok(lines.every((line) => !('trace_id' in line)));
  });

  it('leave out one logger by its name', async () => {
    const { lines } = await run({ OTEL_NODE_DISABLED_INSTRUMENTATIONS: 'winston' });
    const inRequest = lines.filter(({ traceId }) => traceId !== undefined);
    assert.deepEqual(
      Object.fromEntries(inRequest.map((line) => [line.logger, 'trace_id' in line])),
      { pino: true, winston: false },
    );
  });
});
