import { createRequire } from 'node:module';

import { Pulse } from '../pulse.ts';

/*
 * Lets a signal end a process that is stuck in an endless loop. While spans are unsent, signals are
 * held on the application's thread, where they wait for the event loop. When the event loop has not
 * turned for a second, the sender uses the inspector to call the function that releases them; V8
 * interrupts a loop or a regular expression for that. The inspector session is closed right after,
 * since the exit of a process waits for it.
 */

const CHECK_MILLIS = 1000;
const ANSWER_MILLIS = 100;
const STEP_MILLIS = 5;

/**
 * The pulse of the application's thread, and the name of the function that releases its signals.
 */
export interface Watched {
  memory: SharedArrayBuffer;
  /** `process[Symbol.for(name)]` there. */
  name: string;
}

type Inspector = typeof import('node:inspector');

const watched = new Set<string>();

/** Watches the application's thread until it holds no signals any more. */
export function watchForStuckThread({ memory, name }: Watched): void {
  const inspector = loadInspector();
  if (!inspector || watched.has(name)) return;
  watched.add(name);
  const pulse = new Pulse(memory);
  let { beats } = pulse;
  const timer = setInterval(() => {
    const isStuck = pulse.beats === beats;
    beats = pulse.beats;
    if (pulse.holds && (!isStuck || release(inspector, pulse, name))) return;
    clearInterval(timer);
    watched.delete(name);
  }, CHECK_MILLIS).unref();
}

/**
 * Makes the other thread call the function that releases its signals; returns false if that is
 * impossible.
 */
function release(inspector: Inspector, pulse: Pulse, name: string): boolean {
  const session = new inspector.Session();
  pulse.isAttached = true;
  try {
    session.connectToMainThread();
    const expression = `process[Symbol.for(${JSON.stringify(name)})]?.()`;
    // The response would arrive through the blocked event loop, so the pulse is checked instead.
    session.post('Runtime.evaluate', { expression, silent: true }, () => undefined);
  } catch {
    // Refused, as with `--permission`.
    pulse.isAttached = false;
    return false;
  }
  const deadline = performance.now() + ANSWER_MILLIS;
  const timer = setInterval(() => {
    if (pulse.holds && performance.now() < deadline) return;
    clearInterval(timer);
    session.disconnect();
    pulse.isAttached = false;
  }, STEP_MILLIS);
  return true;
}

/** Not every build of Node has one. */
function loadInspector(): Inspector | undefined {
  try {
    return createRequire(import.meta.url)('node:inspector') as Inspector;
  } catch {
    return undefined;
  }
}
