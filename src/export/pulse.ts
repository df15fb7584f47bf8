/*
 * Memory shared by the application's thread and the sender's, so that the sender notices without a
 * message when the application's event loop is blocked while signals are held.
 *
 * The application's thread writes the first two cells, the sender's the third.
 */
const BEATS = 0;
const HOLDS = 1;
const ATTACHED = 2;

export class Pulse {
  readonly memory: SharedArrayBuffer;
  readonly #cells: Int32Array;

  constructor(memory: SharedArrayBuffer = new SharedArrayBuffer(12)) {
    this.memory = memory;
    this.#cells = new Int32Array(memory);
  }

  /** The number of turns of the event loop that were observed. */
  get beats(): number {
    return Atomics.load(this.#cells, BEATS);
  }

  beat(): void {
    Atomics.add(this.#cells, BEATS, 1);
  }

  /** Whether signals wait for the event loop. */
  get holds(): boolean {
    return Atomics.load(this.#cells, HOLDS) === 1;
  }

  set holds(value: boolean) {
    Atomics.store(this.#cells, HOLDS, value ? 1 : 0);
  }

  /** Whether the sender's thread is connected to the inspector of the application's. */
  set isAttached(value: boolean) {
    Atomics.store(this.#cells, ATTACHED, value ? 1 : 0);
    Atomics.notify(this.#cells, ATTACHED);
  }

  /**
   * Blocks while it is connected, for `timeoutMillis` at most: Node would print that it waits for
   * it at exit.
   */
  waitUntilDetached(timeoutMillis: number): void {
    Atomics.wait(this.#cells, ATTACHED, 1, timeoutMillis);
  }
}
