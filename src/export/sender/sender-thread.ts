import { workerData, type MessagePort } from 'node:worker_threads';

import { SenderService, type SenderSetup, type ToSender } from './sender-service.ts';
import type { DrainLimits } from './sender-options.ts';
import { watchForStuckThread } from './stuck-thread.ts';

/*
 * The entry of the sender's thread. It uses a port of its own, which the application's thread can
 * read while it is blocked at exit. The stderr of a thread cannot be used then, as it goes through
 * the parent thread.
 *
 * Each worker thread of the application has its own port to it, with its own core. Spans that a
 * thread has posted are sent even if the thread is terminated.
 */

/**
 * How long spans left by an ended thread may be retried; then its core is removed, with the
 * remaining spans.
 */
const LEFT_BEHIND: DrainLimits = {
  stallMillis: 600_000,
  failingMillis: 600_000,
  totalMillis: 600_000,
  atExit: false,
};

/** The cores of worker threads, until the threads have ended and their spans are sent. */
const adopted = new Set<SenderService>();

function serve(
  port: MessagePort,
  setup: SenderSetup,
  drainFirst: () => Iterable<SenderService>,
): SenderService {
  const core = new SenderService(setup, (level, message, state) => {
    port.postMessage({ type: 'say', level, message, state });
  });
  port.on('message', (message: ToSender) => {
    const receive = (): void =>
      core.receive(message, (id) => port.postMessage({ type: 'answer', id }));
    if (message.type === 'adopt') return adopt(message.port);
    if (message.type === 'watch') return watchForStuckThread(message);
    if (message.type !== 'drain') return receive();
    // Those drains begin first, and end no later than the limits of this one.
    const others = [...drainFirst()].map((other) => other.drain(message.limits));
    if (others.length === 0) receive();
    else void Promise.allSettled(others).then(receive);
  });
  return core;
}

function adopt(port: MessagePort): void {
  port.once('message', ({ setup }: Extract<ToSender, { type: 'setup' }>) => {
    const core = serve(port, setup, () => []);
    adopted.add(core);
    port.once('close', () => {
      void core.drain(LEFT_BEHIND).then(() => {
        adopted.delete(core);
        core.receive({ type: 'close', id: 0 }, () => undefined);
      });
    });
  });
}

const { setup, port } = workerData as { setup: SenderSetup; port: MessagePort };
serve(port, setup, () => adopted);
