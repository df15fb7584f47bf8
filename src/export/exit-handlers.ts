import { isMainThread } from 'node:worker_threads';

import { messageOf } from '../base/errors.ts';
import { say } from '../base/log.ts';
import type { DeliverySpanProcessor } from './delivery.ts';
import { holdSignalsWhileUnsent } from './unsent-watch.ts';

/*
 * The end of a process waits for its spans, briefly, and otherwise is what it was without us: the
 * same status, the same signal, the application's own handlers untouched and in charge.
 *
 * `'exit'` covers the natural end, `process.exit`, uncaught errors and rejections, and the end of a
 * worker thread. A signal without a listener ends the process without that event, so
 * `unsent-watch.ts` listens for signals while spans are unsent.
 */

/**
 * Makes the end of this process, or of this worker thread, wait for `delivery`; returns the undo.
 * `endLast` is called before, for spans that would be ended later; `mayEndLater` returns whether there
 * may be any, for which the process listens for signals although all that ended is sent.
 */
export function installExitHandlers(
  delivery: DeliverySpanProcessor,
  endLast: () => void = () => undefined,
  mayEndLater: () => boolean = () => false,
): () => void {
  const undo: (() => void)[] = [];
  const flush = unfailing(() => {
    endLast();
    delivery.flushAtExit();
  });
  process.on('exit', flush);
  undo.push(() => process.off('exit', flush));
  undo.push(flushBeforeExit(delivery, endLast));
  if (isMainThread) undo.push(holdSignalsWhileUnsent(delivery, mayEndLater, flush));
  return () => {
    for (const step of undo.splice(0)) step();
  };
}

/** Without a sender's thread nothing can be sent once `'exit'` is emitted. */
function flushBeforeExit(delivery: DeliverySpanProcessor, endLast: () => void): () => void {
  let attempts = 0;
  const onBeforeExit = unfailing(() => {
    // The event comes again after each wait; a collector that takes nothing is not waited for twice.
    if (delivery.canFlushAtExit() || attempts++ > 0) return;
    endLast();
    void delivery.forceFlush();
  });
  process.on('beforeExit', onBeforeExit);
  return () => process.off('beforeExit', onBeforeExit);
}

/** What a listener of the end throws would become the end of the application, and its exit code. */
function unfailing(step: () => void): () => void {
  return () => {
    try {
      step();
    } catch (error) {
      say('error', `the last spans may not be sent: ${messageOf(error)}`);
    }
  };
}
