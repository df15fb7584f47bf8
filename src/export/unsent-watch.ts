import type { AsyncResource } from 'node:async_hooks';
import { randomUUID } from 'node:crypto';
import { clearInterval, setInterval } from 'node:timers';

import { messageOf } from '../base/errors.ts';
import { sayOnce } from '../base/log.ts';
import { resourceOutsideTrace } from '../carry/root-context.ts';
import type { DeliverySpanProcessor } from './delivery.ts';
import { FatalSignals } from './fatal-signals.ts';
import { Pulse } from './pulse.ts';
import type { Watched } from './sender/stuck-thread.ts';

/*
 * Holds signals while spans are unsent, so that a signal sends them before it ends the process.
 *
 * A held signal waits for the event loop to turn. If the loop is blocked, the sender's thread makes
 * the application's thread call `process[key]` in the middle of whatever it is doing
 * (`stuck-thread.ts`): the ended spans are handed on, and the next signal ends the process as
 * without clew.
 */

const BEAT_MILLIS = 250;
/** The sender's thread detaches within milliseconds of getting to run. */
const DETACH_MILLIS = 500;

/**
 * Calls `flush` before a signal ends the process while `delivery` has unsent spans, or more of them
 * may come. Returns a function that undoes it.
 */
export function holdSignalsWhileUnsent(
  delivery: DeliverySpanProcessor,
  mayEndLater: () => boolean,
  flush: () => void,
): () => void {
  const watch = new UnsentWatch(delivery, mayEndLater, flush);
  return () => watch.stop();
}

class UnsentWatch {
  readonly #delivery: DeliverySpanProcessor;
  readonly #mayEndLater: () => boolean;
  readonly #root: AsyncResource;
  readonly #signals: FatalSignals;
  readonly #pulse = new Pulse();
  readonly #key: symbol;
  readonly #watched: Watched;
  readonly #onExit = (): void => this.#pulse.waitUntilDetached(DETACH_MILLIS);
  readonly #forget: () => void;
  #timer: NodeJS.Timeout | undefined;

  constructor(delivery: DeliverySpanProcessor, mayEndLater: () => boolean, flush: () => void) {
    this.#delivery = delivery;
    this.#mayEndLater = mayEndLater;
    this.#root = resourceOutsideTrace('clew.delivery');
    this.#signals = new FatalSignals(flush).start();
    const name = `clew.release.${randomUUID()}`;
    this.#key = Symbol.for(name);
    Object.defineProperty(process, this.#key, {
      value: () => this.#release(),
      configurable: true,
    });
    process.on('exit', this.#onExit);
    this.#watched = { memory: this.#pulse.memory, name };
    this.#forget = delivery.onUnsent(() => this.#hold());
    if (mayEndLater()) this.#hold();
  }

  stop(): void {
    this.#forget();
    process.off('exit', this.#onExit);
    Reflect.deleteProperty(process, this.#key);
    this.#settle();
    this.#signals.stop();
  }

  /** A handle for a signal does not belong to the request that started the first span. */
  #hold(): void {
    this.#root.runInAsyncScope(() => {
      this.#setHeld(true);
      this.#timer ??= setInterval(() => this.#beat(), BEAT_MILLIS).unref();
    });
  }

  #beat(): void {
    this.#pulse.beat();
    if (this.#delivery.hasUnsent || this.#mayEndLater()) this.#setHeld(true);
    else this.#settle();
  }

  #settle(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#setHeld(false);
  }

  #setHeld(isHeld: boolean): void {
    if (this.#pulse.holds === isHeld) return;
    this.#pulse.holds = isHeld;
    try {
      if (!isHeld) return this.#signals.release();
      this.#signals.hold();
      this.#delivery.watchForStuckThread(this.#watched);
    } catch (error) {
      // Listeners of `newListener` and `removeListener` belong to the application, and may throw.
      sayOnce('warn', 'signals', `signals may lose the last spans: ${messageOf(error)}`);
    }
  }

  /** This may be called in the middle of clew's own code; a later call then does the work. */
  #release(): void {
    if (!this.#delivery.handOnAmidst()) return;
    this.#setHeld(false);
  }
}
