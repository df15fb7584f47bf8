import type { EventEmitter } from 'node:events';
import { constants } from 'node:os';

import { patchMethod } from '../base/patch.ts';
import { leaveRawMode } from './raw-mode.ts';

/*
 * Runs a step before a signal ends the process, and leaves every decision about signals to the
 * application.
 *
 * Our listener is installed only while the signals are held and no other listener exists: a
 * listener is called when the event loop turns, so with one, a process stuck in an endless loop
 * could not be ended. If the application has a listener, or a library that cleans up (signal-exit
 * waits to be the last one, and then raises the signal again), the process is the same as without
 * clew: same listeners, same count, same end. When the last of them is removed, ours is installed
 * again, since from then on the signal would end the process without an `exit` event.
 *
 * Without a listener, `process.kill()` on the process itself ends it before the call returns. Our
 * listener would turn that into a later event, which never happens if the event loop is empty or
 * the next line calls `process.exit()`. So this call is intercepted.
 */

const SIGNALS = ['SIGTERM', 'SIGINT', 'SIGHUP'] as const;
type FatalSignal = (typeof SIGNALS)[number];
/** Node's types accept only some event names. */
const events: EventEmitter = process;
type Listener = (...args: unknown[]) => void;

/** Marks the listeners of this package, and of other copies of it. */
const OURS = Symbol.for('clew.exit');

/**
 * Calls `step` whenever a signal is about to end the process, on the main thread. Returns a
 * function that undoes it. `step` must not throw.
 */
export function beforeFatalSignal(step: () => void): () => void {
  const signals = new FatalSignals(step).start();
  signals.hold();
  return () => signals.stop();
}

/**
 * Calls a step when a signal is about to end the process while signals are held. Otherwise the
 * signal ends the process as without clew. The step must not throw.
 */
export class FatalSignals {
  readonly #step: () => void;
  readonly #listeners: ReadonlyMap<string | symbol, Listener>;
  readonly #active = new Set<string | symbol>();
  #isHeld = false;
  #isOver = false;
  /** True while our own listener is removed, which emits `removeListener` like any other. */
  #isLeaving = false;
  #restoreKill: (() => void) | undefined;

  constructor(step: () => void) {
    this.#step = step;
    this.#listeners = new Map(SIGNALS.map((signal) => [signal, this.#makeListener(signal)]));
  }

  /** Watches the listeners of other code; nothing is held yet. */
  start(): this {
    // Added before Node's own listener, which must see the listener count without ours when it
    // decides whether the signal needs a handle.
    events.prependListener('newListener', this.#onNewListener);
    events.on('removeListener', this.#onRemoveListener);
    this.#restoreKill = interceptKill((signal) => {
      if (this.#active.has(signal)) this.#takeStep(signal);
    });
    return this;
  }

  /** From now on, a signal runs the step before it ends the process. */
  hold(): void {
    this.#isHeld = true;
    for (const signal of SIGNALS) this.#listenWhereAlone(signal);
  }

  /** From now on a signal ends the process without the step. */
  release(): void {
    this.#isHeld = false;
    for (const signal of this.#active) this.#unlisten(signal);
  }

  stop(): void {
    this.#isOver = true;
    events.off('newListener', this.#onNewListener);
    events.off('removeListener', this.#onRemoveListener);
    this.release();
    this.#restoreKill?.();
  }

  readonly #onNewListener = (name: string | symbol, listener: Listener): void => {
    if (this.#active.has(name) && !(OURS in listener)) this.#unlisten(name);
  };

  readonly #onRemoveListener = (name: string | symbol): void => {
    const own = this.#listeners.get(name);
    if (!own) return;
    // `removeAllListeners()` means the application's own.
    if (!process.listeners(name as FatalSignal).includes(own)) this.#active.delete(name);
    this.#listenWhereAlone(name);
  };

  #listenWhereAlone(name: string | symbol): void {
    const signal = name as FatalSignal;
    if (!this.#isHeld || this.#isOver || this.#isLeaving) return;
    if (this.#active.has(signal) || othersListenFor(signal)) return;
    this.#active.add(signal);
    const listener = this.#listeners.get(signal) as Listener;
    try {
      process.on(signal, listener);
    } catch (error) {
      this.#unlisten(signal);
      throw error;
    }
  }

  #unlisten(name: string | symbol): void {
    this.#active.delete(name);
    const listener = this.#listeners.get(name) as Listener;
    this.#isLeaving = true;
    try {
      // A listener that another listener rejected is not installed, but Node waits for the signal.
      if (process.listeners(name as FatalSignal).includes(listener)) events.off(name, listener);
      else events.emit('removeListener', name, listener);
    } finally {
      this.#isLeaving = false;
    }
  }

  #makeListener(signal: FatalSignal): Listener {
    const onSignal = (_name: unknown, number: unknown): void => {
      // An application may emit the event itself, which does not end the process.
      if (typeof number !== 'number') return;
      this.#takeStep(signal);
      // With no listener left the signal does what it does by default: status and all. Where there
      // is more than one delivery, the last one to be flushed raises it.
      if (process.listenerCount(signal) === 0) process.kill(process.pid, signal);
    };
    Object.defineProperty(onSignal, OURS, { value: true });
    return onSignal;
  }

  /** Runs the step and uninstalls itself for good: the process ends now. */
  #takeStep(signal: string | symbol): void {
    this.#step();
    this.#isOver = true;
    this.#unlisten(signal);
    // Node would do this itself, had there been no listener for the signal.
    if (signal !== 'SIGHUP') leaveRawMode();
  }
}

/** Whether there is a listener that belongs neither to this package nor to another copy of it. */
function othersListenFor(signal: FatalSignal): boolean {
  return process.listeners(signal).some((listener) => !(OURS in listener));
}

/**
 * Calls `before` when the process raises a fatal signal on itself. Returns a function that undoes
 * it.
 */
function interceptKill(before: (signal: string) => void): () => void {
  const undo = patchMethod(process, 'kill', (original) => {
    return function (...args): true {
      const [pid, signal] = args as unknown[];
      try {
        if (Number(pid) === process.pid) {
          const name = SIGNALS.find(
            (one) => one === (signal ?? 'SIGTERM') || constants.signals[one] === signal,
          );
          if (name && !othersListenFor(name)) before(name);
        }
      } catch {
        // Node itself reports invalid arguments better.
      }
      return original.apply(this, args);
    };
  });
  return () => undo?.();
}
