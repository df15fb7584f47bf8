import { isMainThread } from 'node:worker_threads';

import type { DeliverySpanProcessor } from './delivery.ts';
import { beforeFatalSignal } from './fatal-signals.ts';

/*
 * The end of a process waits for its spans, briefly, and otherwise is what it was without us: the
 * same status, the same signal, the application's own handlers untouched and in charge.
 *
 * `'exit'` covers the natural end, `process.exit`, uncaught errors and rejections, and the end of a
 * worker thread. A signal without a listener ends the process without that event, so
 * `fatal-signals.ts` watches for that.
 */

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
  if (isMainThread) undo.push(beforeFatalSignal(flush));
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
