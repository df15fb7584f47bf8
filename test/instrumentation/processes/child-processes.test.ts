import assert from 'node:assert/strict';

import { fixture, REGISTER_URL, runNode, type Result } from '../../support/run-node.ts';

const PARENT = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';

/** Runs the fixture under the preload, with the variables given. */
async function forms(env: Record<string, string>, ...args: string[]): Promise<string[][]> {
  const result = await run(env, ...args);
  return JSON.parse(result.stdout) as string[][];
}

async function run(env: Record<string, string>, ...args: string[]): Promise<Result> {
  const result = await runNode([fixture('processes/forms.mjs'), ...args], {
    env: {
      NODE_OPTIONS: `--import ${REGISTER_URL}`,
      OTEL_TRACES_EXPORTER: 'none',
      TRACEPARENT: undefined,
      BAGGAGE: undefined,
      ...env,
    },
  });
  assert.equal(result.code, 0, result.stderr);
  return result;
}

describe('child processes', function () {
  this.timeout(120_000);
  before(function () {
    if (process.platform === 'win32') this.skip();
  });

  it('get the context of each caller in every form, and none outside of one', async () => {
    const rows = await forms({});
    assert.equal(rows.length, 12 * 4);
    assert.deepEqual(
      rows.filter(([, expected, given]) => expected !== given),
      [],
    );
  });

  it('get nothing with CLEW_PROCESS_CONTEXT=off, and what their parent was given as before', async () => {
    const rows = await forms(
      { CLEW_PROCESS_CONTEXT: 'off', TRACEPARENT: PARENT, BAGGAGE: 'a=1' },
      'spawn',
    );
    assert.deepEqual(
      rows.map(([, , given]) => given),
      Array(4).fill(`${PARENT},a=1`),
    );
  });
});
