import assert from 'node:assert/strict';
import type { ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';

import { startReceiver, type OtlpReceiver } from '../support/otlp-receiver.ts';
import { runApp, type Ending } from './support/fixture.ts';

const APP = fileURLToPath(new URL('../fixtures/export/stuck-loop.js', import.meta.url));

describe('an event loop that stands still', function () {
  this.timeout(120_000);
  let receiver: OtlpReceiver;
  before(async () => (receiver = await startReceiver()));
  after(async () => receiver.close());
  afterEach(() => receiver.clear());

  function run(
    way: string,
    onReady: (child: ChildProcess) => void,
    url: string = receiver.url,
  ): Promise<Ending> {
    return runApp(way, url, { file: APP, keepBooks: false, onReady });
  }

  const signalOnce = (child: ChildProcess): unknown => child.kill('SIGTERM');
  /** As a person would, until it ends. */
  const signalAgain = (child: ChildProcess): void => {
    const timer = setInterval(() => child.kill('SIGTERM'), 300);
    child.once('exit', () => clearInterval(timer));
  };

  it('is ended by the first signal where no span was started', async () => {
    const { signal, stdout } = await run('no spans', signalOnce);
    assert.equal(signal, 'SIGTERM');
    assert.equal(stdout, '0 ready\n');
  });

  it('is ended by the first signal where all spans are sent', async () => {
    const { signal, stdout } = await run('sent spans', signalOnce);
    assert.equal(signal, 'SIGTERM');
    assert.equal(stdout, '010 ready\n');
    assert.equal(receiver.distinct, 10);
  });

  it('is ended by a later signal, and its spans are sent while it stands', async () => {
    let isSent = false;
    const { signal, stderr } = await run('a regular expression', (child) => {
      const timer = setInterval(() => {
        isSent ||= receiver.distinct === 10;
        if (isSent) child.kill('SIGTERM');
      }, 100);
      child.once('exit', () => clearInterval(timer));
    });
    assert.equal(signal, 'SIGTERM');
    assert.equal(isSent, true);
    assert.equal(stderr, '');
  });

  it('is ended by a later signal while a span is open, for which the process listens from its start', async () => {
    const { signal, stdout } = await run('an open span', signalAgain);
    assert.equal(signal, 'SIGTERM');
    assert.equal(stdout, '01 ready\n');
  });

  it('is ended by a later signal while it ends spans', async () => {
    const { signal } = await run('spans without end', signalAgain);
    assert.equal(signal, 'SIGTERM');
  });

  it('is ended by a later signal where no collector is there', async () => {
    const { signal } = await run('unsent spans', signalAgain, 'http://127.0.0.1:9');
    assert.equal(signal, 'SIGTERM');
  });

  it('costs nothing where a listener of the application for new listeners throws', async () => {
    const { signal, stdout, stderr } = await run('a listener that throws', signalOnce);
    assert.equal(signal, 'SIGTERM');
    assert.equal(stdout, '00 ready\n');
    assert.match(stderr, /^clew: signals may lose the last spans: refused\n$/);
  });

  it('holds signals again when it turns, and ends without a word of the inspector', async () => {
    const { code, stdout, stderr } = await run('and turns again', () => undefined);
    assert.equal(code, 0);
    assert.equal(stdout, '01 ready\n');
    assert.equal(stderr, '');
    assert.equal(receiver.distinct, 20);
  });
});
