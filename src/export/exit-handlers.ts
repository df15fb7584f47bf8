import { isMainThread } from 'node:worker_threads';

import { messageOf } from '../base/errors.ts';
import { say } from '../base/log.ts';
import type { DeliverySpanProcessor } from './delivery.ts';
import { holdSignalsWhileUnsent } from './unsent-watch.ts';

/*
 * Makes the exit of a process wait briefly for its spans. Otherwise the exit is the same as without
 * clew: the same status, the same signal, and the application's own handlers stay in control.
 *
 * The `'exit'` event covers the natural end, `process.exit`, uncaught errors and rejections, and
 * the end of a worker thread. A signal without a listener ends the process without that event, so
 * `unsent-watch.ts` listens for signals while spans are unsent.
 */

/**
 * Makes the exit of this process, or of this worker thread, wait for `delivery`. Returns a function
 * that undoes it. `endLast` is called first, to end spans that are still open on purpose.
 * `mayEndLater` returns whether there may be such spans; signal handlers then stay installed even
 * when every ended span has been sent.
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
    // The event is emitted again after each wait; a collector that accepts nothing is not waited
    // for twice.
    if (delivery.canFlushAtExit() || attempts++ > 0) return;
    endLast();
    void delivery.forceFlush();
  });
  process.on('beforeExit', onBeforeExit);
  return () => process.off('beforeExit', onBeforeExit);
}

/** An error thrown in an exit listener would end the application and set its exit code. */
function unfailing(step: () => void): () => void {
  return () => {
    try {
      step();
    } catch (error) {
      say('error', `the last spans may not be sent: ${messageOf(error)}`);
    }
  };
}
