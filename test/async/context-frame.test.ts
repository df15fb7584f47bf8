import assert from 'node:assert/strict';

import { runNode } from '../support/run-node.ts';

const PACKAGE = new URL('../../src/index.js', import.meta.url).href;

/* Where Node hooks a promise, it writes symbols of its own on it. */
const SYMBOLS = `
  const marked = () => Object.getOwnPropertySymbols(Promise.resolve()).length;
  const before = marked();
  await import('${PACKAGE}');
  // Node takes its hook off in a task of its own.
  await new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
  console.log(before, marked());
`;

describe('the look for async context frames', () => {
  it('leaves no hook on the promises of the application', async () => {
    const { stdout, stderr } = await runNode(['--input-type=module', '--eval', SYMBOLS]);
    assert.deepEqual([stdout, stderr], ['0 0\n', '']);
  });
});
