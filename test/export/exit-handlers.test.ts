import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';

import { startReceiver, type OtlpReceiver } from '../support/otlp-receiver.ts';
import { runApp } from './support/fixture.ts';

const COUNT = 1000;

/** A way to end, and how the process ends without us. */
const ENDS: [end: string, code: number][] = [
  ['natural', 0],
  ['beforeExit', 0],
  ['process.exit', 3],
  ['process.exit in a callback', 3],
  ['process.exitCode', 5],
  ['uncaught exception', 1],
  ['uncaught exception in a callback', 1],
  ['unhandled rejection', 1],
  ['worker thread', 0],
  ['worker thread process.exit', 0],
  ['worker thread uncaught exception', 0],
  ['forked child', 0],
  ['cluster worker disconnect', 0],
  ['cluster worker kill', 0],
];

describe('installExitHandlers', () => {
  let receiver: OtlpReceiver;
  before(async () => {
    receiver = await startReceiver();
  });
  after(async () => receiver.close());
  afterEach(() => {
    receiver.clear();
    receiver.fault = undefined;
  });

  for (const [end, code] of ENDS) {
    it(`loses nothing to this end, and keeps its status: ${end}`, async () => {
      const ending = await runApp(end, receiver.url);
      assert.deepEqual([ending.code, ending.signal], [code, null], ending.stderr);
      assert.equal(receiver.distinct, COUNT);
      assert.equal(receiver.spans.length, COUNT);
    });
  }

  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) {
    it(`loses nothing to ${signal}, and the process still dies of it`, async () => {
      const ending = await runApp('signal', receiver.url, {
        onReady: (child) => child.kill(signal),
      });
      assert.deepEqual([ending.code, ending.signal], [null, signal], ending.stderr);
      assert.equal(receiver.spans.length, COUNT);
      assert.ok(ending.millis < 5000, `${ending.millis} ms`);
    });
  }

  it('leaves a signal to the application that listens for it', async () => {
    const ending = await runApp('signal with a listener', receiver.url, {
      onReady: (child) => child.kill('SIGTERM'),
    });
    assert.deepEqual([ending.code, ending.signal], [7, null]);
    assert.equal(receiver.distinct, COUNT);
  });

  it('leaves a signal to a listener that wants to hear it once', async () => {
    const ending = await runApp('signal with a once listener', receiver.url, {
      onReady: (child) => child.kill('SIGTERM'),
    });
    assert.deepEqual([ending.code, ending.signal], [0, null]);
    assert.equal(receiver.distinct, COUNT);
  });

  it('lets an application survive as many signals as it wants to', async () => {
    const ending = await runApp('signal with a listener that stays', receiver.url, {
      onReady: (child) => {
        child.stdout?.on('data', (chunk: Buffer) => {
          if (chunk.includes('handled 1')) child.kill('SIGTERM');
        });
        child.kill('SIGTERM');
      },
    });
    assert.deepEqual([ending.code, ending.signal], [8, null]);
    assert.match(ending.stdout, /handled 1\nhandled 2/);
    assert.equal(receiver.distinct, COUNT);
  });

  it('flushes two deliveries before the signal is raised again', async () => {
    const ending = await runApp('signal with two deliveries', receiver.url, {
      onReady: (child) => child.kill('SIGTERM'),
    });
    assert.equal(ending.signal, 'SIGTERM');
    assert.equal(receiver.distinct, COUNT);
  });

  it('sends spans that end in an exit listener of the application', async () => {
    await runApp('exit listener', receiver.url);
    assert.equal(receiver.distinct, 10);
  });

  it('sends before a natural end without a thread as well', async () => {
    const ending = await runApp('natural', receiver.url, { env: { NO_THREAD: '1' } });
    assert.equal(ending.code, 0);
    assert.equal(receiver.distinct, COUNT);
  });

  it('ends at once, and says what was lost, when there is no collector', async () => {
    const ending = await runApp('natural', 'http://127.0.0.1:9', {});
    assert.equal(ending.code, 0);
    assert.match(ending.stderr, /Of 1000 spans that ended, 1000 were lost: 1000 not sent in time/);
    assert.equal(ending.stderr.match(/No spans reach/g)?.length, 1);
    const signalled = await runApp('signal', 'http://127.0.0.1:9', {
      onReady: (child) => child.kill('SIGTERM'),
    });
    assert.equal(signalled.signal, 'SIGTERM');
    assert.ok(signalled.millis < 5000, `${signalled.millis} ms`);
  });

  it('ends soon when the collector hangs', async () => {
    const silent = createServer((socket) => socket.resume().on('error', () => undefined)).listen(
      0,
      '127.0.0.1',
    );
    await once(silent, 'listening');
    const url = `http://127.0.0.1:${(silent.address() as AddressInfo).port}`;
    const ending = await runApp('signal', url, { onReady: (child) => child.kill('SIGTERM') });
    silent.close();
    assert.equal(ending.signal, 'SIGTERM');
    assert.ok(ending.millis < 5000, `${ending.millis} ms`);
  });

  it('is untouched by a preload that NODE_OPTIONS would give the sender’s thread', async () => {
    const preload = `data:text/javascript,console.error('preloaded')`;
    const ending = await runApp('natural', receiver.url, {
      env: { NODE_OPTIONS: `--import "${preload}"` },
    });
    assert.equal(ending.stderr.match(/preloaded/g)?.length, 1);
    assert.equal(receiver.distinct, COUNT);
  });
});
