import assert from 'node:assert/strict';
import { fileURLToPath } from 'node:url';

import { beforeFatalSignal } from '../../src/export/fatal-signals.ts';
import { startReceiver, type OtlpReceiver } from '../support/otlp-receiver.ts';
import { cachedInstall } from '../support/user-cache.ts';
import { runApp, type Ending } from './support/fixture.ts';

const APP = fileURLToPath(new URL('../fixtures/export/signals.js', import.meta.url));
const PACKAGES = [
  'signal-exit-3@npm:signal-exit@3.0.7',
  'signal-exit-4@npm:signal-exit@4.1.0',
  'exit-hook@4.0.0',
  'async-exit-hook@2.0.1',
  'death@1.1.0',
  'node-cleanup@2.1.2',
  'why-is-node-running@3.2.2',
];

/** Ways to listen for signals, by the names that the program has for them. */
const WAYS = [
  'none',
  'signal-exit 3',
  'signal-exit 4',
  'signal-exit 3 and 4',
  'exit-hook',
  'async-exit-hook',
  'death',
  'node-cleanup',
  'why-is-node-running',
  'two that clean up, and the application',
  'a handler that ends the process',
  'a handler that does not',
  'a handler that goes, and raises the signal again',
  'a second signal after a handler that hears one',
  'listeners that are all removed again',
  'an event that the application emits',
];

describe('beforeFatalSignal', function () {
  this.timeout(120_000);
  let receiver: OtlpReceiver;
  let packages: string;
  before(async () => {
    receiver = await startReceiver();
    packages = cachedInstall('listeners-for-signals-1', PACKAGES);
  });
  after(async () => receiver.close());
  afterEach(() => receiver.clear());

  async function run(way: string, url: string): Promise<Ending> {
    return runApp(way, url, {
      file: APP,
      keepBooks: false,
      env: { PACKAGES: packages, ...(url === '' && { URL: '' }) },
      onReady: (child) => child.kill('SIGTERM'),
    });
  }

  for (const way of WAYS) {
    it(`lets the process end as without us, and the spans be sent: ${way}`, async () => {
      const [bare, ours] = await Promise.all([run(way, ''), run(way, receiver.url)]);
      const seen = ({ code, signal, stdout }: Ending): unknown => ({ code, signal, stdout });
      assert.deepEqual(seen(ours), seen(bare), ours.stderr);
      assert.equal(receiver.distinct, 10);
    });
  }

  it('leaves nothing of itself behind when it is undone', () => {
    const killBefore = Object.getOwnPropertyDescriptor(process, 'kill');
    const events = ['SIGTERM', 'SIGINT', 'SIGHUP', 'newListener', 'removeListener'] as const;
    const count = (): number[] => events.map((event) => process.listenerCount(event));
    const before = count();
    const undo = beforeFatalSignal(() => undefined);
    assert.notDeepEqual(count(), before);
    undo();
    assert.deepEqual(count(), before);
    assert.deepEqual(Object.getOwnPropertyDescriptor(process, 'kill'), killBefore);
  });

  it('comes back for a signal when the last other listener goes, and not before', () => {
    const undo = beforeFatalSignal(() => undefined);
    try {
      const [first, second] = [(): void => undefined, (): void => undefined];
      process.on('SIGHUP', first);
      assert.deepEqual(process.listeners('SIGHUP'), [first]);
      process.on('SIGHUP', second);
      process.off('SIGHUP', first);
      assert.deepEqual(process.listeners('SIGHUP'), [second]);
      process.off('SIGHUP', second);
      assert.equal(process.listenerCount('SIGHUP'), 1);
      process.removeAllListeners('SIGHUP');
      assert.equal(process.listenerCount('SIGHUP'), 1);
    } finally {
      undo();
    }
    assert.equal(process.listenerCount('SIGHUP'), 0);
  });
});
