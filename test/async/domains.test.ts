import assert from 'node:assert/strict';

import { fixture, REGISTER_URL, runNode } from '../support/run-node.ts';

describe('domains', () => {
  it('get the errors of repaired callbacks that are bound to them, as without the preload', async () => {
    const args = [fixture('domains.cjs'), import.meta.filename];
    const options = { env: { OTEL_TRACES_EXPORTER: 'none' } };
    const [bare, repaired] = await Promise.all([
      runNode(args, options),
      runNode(['--import', REGISTER_URL, ...args], options),
    ]);
    assert.match(bare.stdout, /inner: a buffered write/);
    // The order depends on when the file is opened.
    const linesOf = ({ stdout }: { stdout: string }): string[] => stdout.split('\n').toSorted();
    assert.deepEqual(linesOf(repaired), linesOf(bare), repaired.stderr);
  });
});
