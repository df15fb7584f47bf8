import assert from 'node:assert/strict';
import { setImmediate as turn } from 'node:timers/promises';

import { watchUncaught } from '../../src/async/uncaught-error.ts';
import { runNode } from '../support/run-node.ts';

const MODULE = new URL('../../src/async/uncaught-error.js', import.meta.url).href;

describe('watchUncaught', () => {
  const count = (): number => process.listenerCount('uncaughtExceptionMonitor');
  const refuse = (): void => assert.fail('it was caught');

  function failing(): never {
    throw new TypeError('mine');
  }

  it('returns what is returned and listens to nothing', () => {
    const before = count();
    assert.equal(
      watchUncaught(() => 5, refuse),
      5,
    );
    assert.equal(count(), before);
  });

  it('forgets what a caller catches', async () => {
    const before = count();
    assert.throws(() => watchUncaught(failing, refuse), { message: 'mine' });
    await assert.rejects(async () => watchUncaught(failing, refuse), { message: 'mine' });
    await turn();
    assert.equal(count(), before);
  });

  function run(body: string): ReturnType<typeof runNode> {
    const program = `import { watchUncaught } from '${MODULE}';
      const failing = () => { throw new TypeError('mine') };
      ${body}`;
    return runNode(['--input-type=module', '--eval', program]);
  }

  it('hears what ends the process, before its handlers do', async () => {
    const { stdout } = await run(`
      process.on('uncaughtException', (error) => console.log('handled', error.message));
      setTimeout(() => watchUncaught(failing, (error) => console.log('heard', error.message)));
      setTimeout(failing, 20);`);
    assert.equal(stdout, 'heard mine\nhandled mine\nhandled mine\n');
  });

  it('leaves the exception as it is where hearing it fails', async () => {
    const { code, stderr } = await run(
      `setTimeout(() => watchUncaught(failing, () => { throw new Error('ours') }));`,
    );
    assert.equal(code, 1);
    assert.match(stderr, /^clew: an exception cannot be recorded: ours\n/);
    assert.match(stderr, /\nTypeError: mine\n/);
  });
});
