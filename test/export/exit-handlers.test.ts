import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import type { AddressInfo } from 'node:net';

import { startReceiver, type OtlpReceiver } from '../support/otlp-receiver.ts';
import { REGISTER_PATH, runNode } from '../support/run-node.ts';
import { assertBalanced } from './support/books.ts';
import { runApp, type Ending, type FixtureOptions } from './support/fixture.ts';

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

const TERMINATE: FixtureOptions = { onReady: (child) => child.kill('SIGTERM') };

describe('installExitHandlers', function () {
  // Each test is a process, and on a busy machine a process takes its time.
  this.timeout(120_000);
  let receiver: OtlpReceiver;
  before(async () => {
    receiver = await startReceiver();
  });
  after(async () => receiver.close());
  afterEach(() => {
    receiver.clear();
    receiver.fault = undefined;
  });

  /** Runs the program and looks at its sums, which held for as long as it lived. */
  async function run(
    end: string,
    options: FixtureOptions = {},
    url = receiver.url,
    ended = COUNT,
  ): Promise<Ending> {
    const ending = await runApp(end, url, options);
    assertBalanced(ending.books, ended);
    return ending;
  }

  for (const [end, code] of ENDS) {
    it(`loses nothing to this end, and keeps its status: ${end}`, async () => {
      const ending = await run(end);
      assert.deepEqual([ending.code, ending.signal], [code, null], ending.stderr);
      assert.equal(receiver.distinct, COUNT);
      assert.equal(receiver.spans.length, COUNT);
    });
  }

  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) {
    it(`loses nothing to ${signal}, and the process still dies of it`, async () => {
      const ending = await run('signal', {
        onReady: (child) => child.kill(signal),
      });
      assert.deepEqual([ending.code, ending.signal], [null, signal], ending.stderr);
      assert.equal(receiver.spans.length, COUNT);
      assert.ok(ending.millis < 9000, `${ending.millis} ms`);
    });
  }

  it('leaves a signal to the application that listens for it', async () => {
    const ending = await run('signal with a listener', TERMINATE);
    assert.deepEqual([ending.code, ending.signal], [7, null]);
    assert.equal(receiver.distinct, COUNT);
  });

  it('leaves a signal to a listener that listens once', async () => {
    const ending = await run('signal with a once listener', TERMINATE);
    assert.deepEqual([ending.code, ending.signal], [0, null]);
    assert.equal(receiver.distinct, COUNT);
  });

  it('lets an application survive as many signals as it wants to', async () => {
    const ending = await run('signal with a listener that stays', {
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
    const ending = await run('signal with two deliveries', TERMINATE);
    assert.equal(ending.signal, 'SIGTERM');
    assert.equal(receiver.distinct, COUNT);
  });

  it('sends spans that end in an exit listener of the application', async () => {
    await run('exit listener', {}, receiver.url, 10);
    assert.equal(receiver.distinct, 10);
  });

  it('sends before a natural end without a thread as well', async () => {
    const ending = await run('natural', { env: { NO_THREAD: '1' } });
    assert.equal(ending.code, 0);
    assert.equal(receiver.distinct, COUNT);
  });

  it('sends from one thread where the process may not start another', async () => {
    const flags = process.allowedNodeEnvironmentFlags;
    const permission = flags.has('--permission') ? '--permission' : '--experimental-permission';
    // The books are written there.
    const nodeOptions = [permission, '--allow-fs-read=*', `--allow-fs-write=${tmpdir()}/*`];
    if (flags.has('--allow-net')) nodeOptions.push('--allow-net');
    const ending = await run('natural', { nodeOptions });
    assert.equal(ending.code, 0, ending.stderr);
    assert.match(ending.stderr, /Cannot start the thread that sends spans/);
    assert.equal(receiver.distinct, COUNT);
  });

  it('ends at once, and reports what was lost, when there is no collector', async () => {
    const ending = await run('natural', {}, 'http://127.0.0.1:9');
    assert.equal(ending.code, 0);
    assert.match(
      ending.stderr,
      /Of 1000 spans that ended, 1000 were lost: 1000 not sent before the end/,
    );
    assert.equal(ending.stderr.match(/No spans reach/g)?.length, 1);
    const signalled = await run('signal', TERMINATE, 'http://127.0.0.1:9');
    assert.equal(signalled.signal, 'SIGTERM');
    assert.ok(signalled.millis < 9000, `${signalled.millis} ms`);
  });

  it('ends soon when the collector hangs', async () => {
    const silent = createServer((socket) => socket.resume().on('error', () => undefined)).listen(
      0,
      '127.0.0.1',
    );
    await once(silent, 'listening');
    const url = `http://127.0.0.1:${(silent.address() as AddressInfo).port}`;
    const ending = await run('signal', TERMINATE, url);
    silent.close();
    assert.equal(ending.signal, 'SIGTERM');
    assert.ok(ending.millis < 9000, `${ending.millis} ms`);
  });

  it('goes on beyond its bound in seconds while the collector takes what it is sent', async () => {
    receiver.fault = () => ({ delayMillis: 300 });
    const options = { maxInFlight: 1, maxBatchSpans: 100, exitTimeoutMillis: 1500 };
    const ending = await run('natural', { env: { OPTIONS: JSON.stringify(options) } });
    assert.equal(ending.code, 0);
    assert.equal(receiver.distinct, COUNT, ending.stderr);
  });

  it('is untouched by a preload that NODE_OPTIONS would give the sender’s thread', async () => {
    const preload = `data:text/javascript,console.error('preloaded')`;
    const ending = await run('natural', {
      env: { NODE_OPTIONS: `--import "${preload}"` },
    });
    assert.equal(ending.stderr.match(/preloaded/g)?.length, 1);
    assert.equal(receiver.distinct, COUNT);
  });

  it('costs the application nothing where it fails', async () => {
    const broken = `
      require('@opentelemetry/api').trace.getTracer('app').startSpan('last').end();
      Object.keys = () => { throw new Error('broken by the application'); };`;
    for (const end of ['', 'process.exit(3);', `process.kill(process.pid, 'SIGTERM');`]) {
      const code = `${broken} setTimeout(() => { ${end} }, 1);`;
      const bare = await runNode(['-e', code]);
      const env = { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url };
      const ours = await runNode(['--require', REGISTER_PATH, '-e', code], { env });
      assert.deepEqual([ours.code, ours.signal], [bare.code, bare.signal], ours.stderr);
      assert.match(
        ours.stderr,
        /^clew: the last spans may not be sent: broken by the application$/m,
      );
    }
  });

  it('leaves `beforeExit` to come as often as without it', async () => {
    const code = `
      let count = 0;
      process.on('beforeExit', () => count++);
      process.on('exit', () => console.log(count));
      const server = require('node:http').createServer((_, response) => response.end());
      server.listen(0, () => {
        const { port } = server.address();
        require('node:http').get({ port }, (response) => response.resume().on('end', () => server.close()));
      });`;
    const env = { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url };
    const { stdout, stderr } = await runNode(['--require', REGISTER_PATH, '-e', code], { env });
    assert.equal(stdout, '1\n', stderr);
    assert.equal(receiver.distinct, 2);
  });
});
