import { say } from '../base/log.ts';

/*
 * Spans that have ended wait in a queue; a process that ends takes them along. What ends a process
 * softly (an empty event loop, SIGTERM, SIGINT) is used to send them first.
 */

const SIGNALS = ['SIGTERM', 'SIGINT'] as const;
/** How long an end may be held up by a collector that does not answer, in milliseconds. */
const MAX_WAIT = 1000;

/**
 * Calls `flush` before the process ends, after which it ends as it would have: with the same exit
 * code, and killed by the same signal. Where the application listens for the signal itself, the end
 * is its decision and only the flush happens. Returns the undo.
 */
export function flushOnExit(flush: () => Promise<void>): () => void {
  const onBeforeExit = once(() => bounded(flush()));
  process.on('beforeExit', onBeforeExit);
  const handlers = SIGNALS.map((signal) => {
    const handler = once(async () => {
      const alone = process.listenerCount(signal) === 1;
      await bounded(flush());
      if (!alone) return;
      process.off(signal, handler);
      process.kill(process.pid, signal);
    });
    process.on(signal, handler);
    return { signal, handler };
  });
  return () => {
    process.off('beforeExit', onBeforeExit);
    for (const { signal, handler } of handlers) process.off(signal, handler);
  };
}

/** `beforeExit` comes again after the work it started; without new spans that would never end. */
function once(action: () => Promise<void>): () => void {
  let called = false;
  return () => {
    if (called) return;
    called = true;
    void action();
  };
}

async function bounded(work: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<'late'>((resolve) => {
    timer = setTimeout(() => resolve('late'), MAX_WAIT);
  });
  if ((await Promise.race([work, limit])) === 'late') {
    say('warn', `the collector did not take the last spans within ${MAX_WAIT} ms; they are lost.`);
  }
  clearTimeout(timer);
}
