import { isMainThread } from 'node:worker_threads';

import { say } from '../base/log.ts';
import type { DeliverySpanProcessor } from './delivery.ts';
import { spans } from './sender-voice.ts';
import { imbalance } from './stats.ts';

/*
 * The end of a process waits for its spans, briefly, and otherwise is what it was without us: the
 * same status, the same signal, the application's own handlers untouched and in charge.
 *
 * `'exit'` covers the natural end, `process.exit`, uncaught errors and rejections, and the end of a
 * worker thread. A signal without a listener ends the process without that event, so we listen, and
 * do nothing at all when somebody else does too.
 */

const SIGNALS = ['SIGTERM', 'SIGINT', 'SIGHUP'] as const;

/** Makes the end of this process, or of this worker thread, wait for `delivery`; returns the undo. */
export function installExitHandlers(delivery: DeliverySpanProcessor): () => void {
  const undo: (() => void)[] = [];
  const onExit = (): void => finish(delivery);
  process.on('exit', onExit);
  undo.push(() => process.off('exit', onExit));
  if (!delivery.options.thread) undo.push(flushBeforeExit(delivery));
  if (isMainThread) for (const signal of SIGNALS) undo.push(flushOnSignal(delivery, signal));
  return () => {
    for (const step of undo.splice(0)) step();
  };
}

/** Without a sender's thread nothing can be sent once `'exit'` is emitted. */
function flushBeforeExit(delivery: DeliverySpanProcessor): () => void {
  let attempts = 0;
  const onBeforeExit = (): void => {
    // The event comes again after each wait; a collector that takes nothing is not waited for twice.
    if (delivery.stats().queued === 0 || attempts++ > 0) return;
    void delivery.forceFlush();
  };
  process.on('beforeExit', onBeforeExit);
  return () => process.off('beforeExit', onBeforeExit);
}

function flushOnSignal(
  delivery: DeliverySpanProcessor,
  signal: (typeof SIGNALS)[number],
): () => void {
  const onSignal = (): void => {
    if (process.listenerCount(signal) > 1) return;
    finish(delivery);
    process.off(signal, onSignal);
    // With no listener left the signal does what it does by default: status and all.
    process.kill(process.pid, signal);
  };
  // First in line, so that a `once` listener of the application is still there to be counted.
  process.prependListener(signal, onSignal);
  return () => process.off(signal, onSignal);
}

function finish(delivery: DeliverySpanProcessor): void {
  delivery.flushAtExit();
  const stats = delivery.stats();
  const kept = stats.spooled + (delivery.spoolFolder ? stats.queued : 0);
  const lost = stats.ended + stats.adopted - stats.accepted - kept;
  if (kept > 0) say('info', `${spans(kept)} kept in ${delivery.spoolFolder} for the next start.`);
  if (lost <= 0) return;
  const reasons = Object.entries(stats.droppedBy).filter(([, count]) => count > 0);
  if (stats.rejected > 0) reasons.push(['rejected', stats.rejected]);
  const unsent = delivery.spoolFolder ? 0 : stats.queued;
  if (unsent > 0) reasons.push(['not sent in time', unsent]);
  if (imbalance(stats) !== 0) reasons.push(['unaccounted for', imbalance(stats)]);
  const list = reasons.map(([reason, count]) => `${count} ${reason}`).join(', ');
  const advice = unsent > 0 ? ' CLEW_SPOOL=1 keeps spans on disk until they are delivered.' : '';
  say('warn', `Of ${spans(stats.ended)} that ended, ${lost} were lost: ${list}.${advice}`);
}
