import type { EventEmitter } from 'node:events';
import { constants } from 'node:os';

import { leaveRawMode } from './raw-mode.ts';

/*
 * Runs a step before a signal ends the process, and leaves every decision about signals to the
 * application.
 *
 * Our listener is there only while the signals are held, and while no other is: a listener is called
 * when the event loop turns, so a loop that never ends could not be ended. With a listener of the
 * application's, or of a library that cleans up (signal-exit waits to be the last one, and then raises
 * the signal again), the process is as without us: same listeners, same count, same end. When the last
 * of them goes, ours comes back, since from then on the signal would end the process without an `exit`
 * event.
 *
 * `process.kill()` on the process itself ends it before it returns, where no listener is there. Ours
 * would turn that into an event of a later turn, which an empty event loop or a `process.exit()` on
 * the next line never sees. So this call is intercepted.
 */

const SIGNALS = ['SIGTERM', 'SIGINT', 'SIGHUP'] as const;
type FatalSignal = (typeof SIGNALS)[number];
/** The types of Node know some names of events only. */
const events: EventEmitter = process;
type Listener = (...args: unknown[]) => void;

/** Marks listeners of ours, and of other copies of this package. */
const OURS = Symbol.for('clew.exit');

/**
 * Calls `step` whenever a signal is about to end the process, on the main thread; returns the undo.
 * `step` must not throw.
 */
export function beforeFatalSignal(step: () => void): () => void {
  const signals = new FatalSignals(step).start();
  signals.hold();
  return () => signals.stop();
}

/**
 * Calls a step when a signal is about to end the process while it is held; what is not held ends the
 * process as without us. The step must not throw.
 */
export class FatalSignals {
  readonly #step: () => void;
  readonly #listeners: ReadonlyMap<string | symbol, Listener>;
  readonly #active = new Set<string | symbol>();
  #isHeld = false;
  #isOver = false;
  /** While our own listener is removed, for which `removeListener` is emitted as for any. */
  #isLeaving = false;
  #restoreKill: (() => void) | undefined;

  constructor(step: () => void) {
    this.#step = step;
    this.#listeners = new Map(SIGNALS.map((signal) => [signal, this.#makeListener(signal)]));
  }

  /** Watches the listeners of others; nothing is held yet. */
  start(): this {
    // Before Node's own, which must find the count that holds without us when it decides whether
    // the signal needs a handle.
    events.prependListener('newListener', this.#onNewListener);
    events.on('removeListener', this.#onRemoveListener);
    this.#restoreKill = interceptKill((signal) => {
      if (this.#active.has(signal)) this.#takeStep(signal);
    });
    return this;
  }

  /** From now on the step comes before the end by a signal. */
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
      // One that another listener has refused is not there, but Node waits for the signal.
      if (process.listeners(name as FatalSignal).includes(listener)) events.off(name, listener);
      else events.emit('removeListener', name, listener);
    } finally {
      this.#isLeaving = false;
    }
  }

  #makeListener(signal: FatalSignal): Listener {
    const onSignal = (_name: unknown, number: unknown): void => {
      // An application may emit the event by itself, which ends nothing.
      if (typeof number !== 'number') return;
      this.#takeStep(signal);
      // With no listener left the signal does what it does by default: status and all. Where there
      // is more than one delivery, the last one to be flushed raises it.
      if (process.listenerCount(signal) === 0) process.kill(process.pid, signal);
    };
    Object.defineProperty(onSignal, OURS, { value: true });
    return onSignal;
  }

  /** Takes the step, and is out of the way for good: the process ends now. */
  #takeStep(signal: string | symbol): void {
    this.#step();
    this.#isOver = true;
    this.#unlisten(signal);
    // As Node does by itself, of which a listener for the signal relieved it.
    if (signal !== 'SIGHUP') leaveRawMode();
  }
}

/** Whether there is a listener that is not ours, nor another copy's of this package. */
function othersListenFor(signal: FatalSignal): boolean {
  return process.listeners(signal).some((listener) => !(OURS in listener));
}

/** Calls `before` when the process raises a fatal signal on itself; returns the undo. */
function interceptKill(before: (signal: string) => void): () => void {
  const original = Reflect.get(process, 'kill') as (...args: unknown[]) => true;
  const kill = function kill(this: unknown, pid: unknown, signal?: unknown): true {
    try {
      if (Number(pid) === process.pid) {
        const name = SIGNALS.find(
          (one) => one === (signal ?? 'SIGTERM') || constants.signals[one] === signal,
        );
        if (name && !othersListenFor(name)) before(name);
      }
    } catch {
      // What is wrong with the arguments, Node says better.
    }
    return Reflect.apply(original, this, arguments);
  };
  Object.defineProperty(kill, 'length', { value: original.length, configurable: true });
  process.kill = kill;
  return () => {
    if (Reflect.get(process, 'kill') === kill) process.kill = original;
  };
}
