import assert from 'node:assert/strict';

import { fixture, runNode } from '../../support/run-node.ts';

const REGISTER = new URL('../../../src/register.js', import.meta.url).href;

describe('node:http2 that is imported by an ES module', () => {
  it('has a span on both sides, also where a server is handed its connections', async () => {
    const args = ['--import', REGISTER, fixture('http2-by-import.mjs')];
    const { code, stdout, stderr } = await runNode(args, {
      env: { OTEL_TRACES_EXPORTER: 'console' },
    });
    assert.equal(code, 0, stderr);
    // The API's numbers: a server and a client, in the order of their ends.
    const kinds = [...stdout.matchAll(/^\s+kind: (\d)/gm)].map(([, kind]) => kind).join();
    assert.match(kinds, /^(?:1,2|2,1)$/);
  });
});
