import { clearInterval, setInterval } from 'node:timers';

import { hideFromRecords } from '../../../async/collecting.ts';
import { runOutsideTrace } from '../../../carry/root-context.ts';

/*
 * Ends the calls whose response came and whose body nobody reads: Node keeps such a response, and its
 * connection, for ever.
 *
 * `watched` holds the calls with a response that have not ended, each until it ends or, where it can be
 * told, until somebody reads. One timer looks at them; it runs while there are any and keeps no process
 * alive.
 */

/** How long a body may wait for its first reader, in milliseconds. */
export const UNREAD_MILLIS = 60_000;
const SWEEP_MILLIS = 15_000;

interface WatchedCall {
  readonly lastActivity: number;
  abandon(): void;
}

const watched = new Map<WatchedCall, (() => boolean) | undefined>();
let timer: NodeJS.Timeout | undefined;

/** Watches a call. Without `isUnread`, only its `lastActivity` tells whether it goes on. */
export function watchBody(call: WatchedCall, isUnread?: () => boolean): void {
  watched.set(call, isUnread);
  timer ??= runOutsideTrace(
    () => hideFromRecords(setInterval(() => sweepBodies(), SWEEP_MILLIS).unref()),
    undefined,
  );
}

export function forgetBody(call: WatchedCall): void {
  watched.delete(call);
}

/** How many calls wait for their bodies. @internal */
export function watchedBodies(): number {
  return watched.size;
}

/** Ends the calls whose bodies have waited for too long at `now`. @internal */
export function sweepBodies(now: number = performance.now()): void {
  for (const [call, isUnread] of watched) {
    if (isUnread?.() === false) watched.delete(call);
    else if (now - call.lastActivity > UNREAD_MILLIS) call.abandon();
  }
  if (watched.size > 0) return;
  clearInterval(timer);
  timer = undefined;
}
