import { isMainThread } from 'node:worker_threads';

import type { DeliverySpanProcessor } from './delivery.ts';

/*
 * The end of a process waits for its spans, briefly, and otherwise is what it was without us: the
 * same status, the same signal, the application's own handlers untouched and in charge.
 *
 * `'exit'` covers the natural end, `process.exit`, uncaught errors and rejections, and the end of a
 * worker thread. A signal without a listener ends the process without that event, so we listen, and
 * do nothing at all when somebody else does too.
 */

const OURS = Symbol.for('clew.exit');
const SIGNALS = ['SIGTERM', 'SIGINT', 'SIGHUP'] as const;

/**
 * Makes the end of this process, or of this worker thread, wait for `delivery`; returns the undo.
 * `endLast` is called before, for spans that would be ended later.
 */
export function installExitHandlers(
  delivery: DeliverySpanProcessor,
  endLast: () => void = () => undefined,
): () => void {
  const undo: (() => void)[] = [];
  const flush = (): void => {
    endLast();
    delivery.flushAtExit();
  };
  process.on('exit', flush);
  undo.push(() => process.off('exit', flush));
  undo.push(flushBeforeExit(delivery, endLast));
  if (isMainThread) for (const signal of SIGNALS) undo.push(flushOnSignal(flush, signal));
  return () => {
    for (const step of undo.splice(0)) step();
  };
}

/** Without a sender's thread nothing can be sent once `'exit'` is emitted. */
function flushBeforeExit(delivery: DeliverySpanProcessor, endLast: () => void): () => void {
  let attempts = 0;
  const onBeforeExit = (): void => {
    // The event comes again after each wait; a collector that takes nothing is not waited for twice.
    if (delivery.canFlushAtExit() || attempts++ > 0) return;
    endLast();
    void delivery.forceFlush();
  };
  process.on('beforeExit', onBeforeExit);
  return () => process.off('beforeExit', onBeforeExit);
}

function flushOnSignal(flush: () => void, signal: (typeof SIGNALS)[number]): () => void {
  const onSignal = (): void => {
    if (othersListenFor(signal)) return;
    flush();
    process.off(signal, onSignal);
    // With no listener left the signal does what it does by default: status and all. Where there
    // is more than one delivery, the last one to be flushed raises it.
    if (process.listenerCount(signal) === 0) process.kill(process.pid, signal);
  };
  Object.defineProperty(onSignal, OURS, { value: true });
  // First in line, so that a `once` listener of the application is still there to be counted.
  process.prependListener(signal, onSignal);
  return () => process.off(signal, onSignal);
}

/** Whether anybody listens who is not us, nor another copy of this package. */
function othersListenFor(signal: NodeJS.Signals): boolean {
  return process.listeners(signal).some((listener) => !(OURS in listener));
}
