import { channel } from 'node:diagnostics_channel';
import { clearTimeout, setTimeout } from 'node:timers';

import type { Context } from '@opentelemetry/api';

import { undoAll, type Undo } from '../../base/patch.ts';
import { runInRoot } from '../../carry/root-context.ts';

/*
 * The context that this process or worker thread was started in. It is active wherever no other one
 * is, until the start is over: with the first message from the parent or the first connection to a
 * server, from which on this is a service that has other callers; at the latest after `maxAgeMillis`.
 */

/** What can hold it: our context manager. */
export interface BaseContextHolder {
  setBaseContext(context: Context | undefined): void;
}

/** The start of a process or thread that belongs to a context of another one. */
export class StartContext {
  readonly #holder: BaseContextHolder;
  #undo: Undo | undefined;

  constructor(holder: BaseContextHolder, context: Context, maxAgeMillis: number) {
    this.#holder = holder;
    holder.setBaseContext(context);
    // The timer may be asked for under a fake clock, or not at all; then the rest still ends it.
    const timer = runInRoot(() => setTimeout(() => this.end(), capped(maxAgeMillis)).unref(), this);
    const connected = channel('net.server.socket');
    const onConnection = (): void => this.end();
    connected.subscribe(onConnection);
    this.#undo = undoAll([
      () => clearTimeout(timer),
      () => {
        connected.unsubscribe(onConnection);
      },
    ]);
  }

  /** From now on work without a context has none. */
  end(): void {
    this.#undo?.();
    this.#undo = undefined;
    this.#holder.setBaseContext(undefined);
  }
}

/** The longest a timer can run is 24 days. */
const capped = (millis: number): number => Math.min(millis, 2 ** 31 - 1);
