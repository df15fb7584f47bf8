/*
 * The sender's counts, which the application's thread can read at any time without a message.
 *
 * The sender changes its own copy and publishes all of it at once: it writes the half of the shared
 * memory that is not being read, then switches halves. So a reader never sees a span that has left
 * one place and not arrived in the next, and never waits for the sender.
 */

/** Why spans were dropped, in the order of their cells in the shared memory. */
export const DROP_REASONS = [
  /** The queue, or the spool, was full. */
  'overflow',
  /** The collector rejected them: a malformed span, or a request that it never accepts. */
  'refused',
  /** They were older than the age limit of the spool. */
  'expired',
  /** The process ended before the collector accepted them, and there was no spool. */
  'exit',
  /** They ended after `shutdown()` had returned. */
  'after_shutdown',
  /** They could not be encoded, or not be read back from the spool. */
  'unencodable',
  'unreadable',
  /** The sender's thread died. */
  'sender_died',
] as const;

export type DropReason = (typeof DROP_REASONS)[number];

const PLACES_OF_SPANS = [
  'received',
  'receivedBytes',
  'adopted',
  'accepted',
  'rejected',
  'queued',
  'queuedBytes',
  'spooled',
  'spooledBytes',
  'inFlight',
  'requests',
  'failures',
  'failing',
  'connected',
] as const;

export type CounterField = (typeof PLACES_OF_SPANS)[number] | DropReason;
export type CounterValues = Record<CounterField, number>;

const FIELDS: readonly CounterField[] = [...PLACES_OF_SPANS, ...DROP_REASONS];

export function noCounts(): CounterValues {
  return Object.fromEntries(FIELDS.map((name) => [name, 0])) as CounterValues;
}

const PLACES = Object.fromEntries(FIELDS.map((name, place) => [name, place])) as CounterValues;
const HALF = FIELDS.length * 8;
/** Int32 cells before the two halves. */
const VERSION = 0;
const ANSWERED = 1;
const CELLS = 8;

export class Counters {
  readonly memory: SharedArrayBuffer;
  readonly #cells: Int32Array;
  readonly #halves: [Float64Array, Float64Array];
  readonly #own: Float64Array = new Float64Array(FIELDS.length);

  constructor(memory: SharedArrayBuffer = new SharedArrayBuffer(CELLS + 2 * HALF)) {
    this.memory = memory;
    this.#cells = new Int32Array(memory, 0, CELLS / 4);
    this.#halves = [
      new Float64Array(memory, CELLS, FIELDS.length),
      new Float64Array(memory, CELLS + HALF, FIELDS.length),
    ];
  }

  get(field: CounterField): number {
    return this.#own[PLACES[field]] as number;
  }

  set(field: CounterField, value: number): void {
    this.#own[PLACES[field]] = value;
  }

  add(field: CounterField, amount: number): void {
    const place = PLACES[field];
    this.#own[place] = (this.#own[place] as number) + amount;
  }

  /** Publishes the counts. Call it only when the sums are consistent. */
  publish(): void {
    const next = (Atomics.load(this.#cells, VERSION) + 1) | 0;
    this.#halves[next & 1]?.set(this.#own);
    Atomics.store(this.#cells, VERSION, next);
    Atomics.notify(this.#cells, VERSION);
  }

  /** Increases with each `publish`. */
  get version(): number {
    return Atomics.load(this.#cells, VERSION);
  }

  /** The counts as last published. */
  read(): CounterValues {
    const values = new Float64Array(FIELDS.length);
    for (;;) {
      const version = Atomics.load(this.#cells, VERSION);
      values.set(this.#halves[version & 1] as Float64Array);
      if (Atomics.load(this.#cells, VERSION) === version) break;
    }
    return Object.fromEntries(FIELDS.map((name, place) => [name, values[place]])) as CounterValues;
  }

  /** Notifies a thread blocked in `waitForAnswer` that request number `id` is done. */
  answer(id: number): void {
    Atomics.store(this.#cells, ANSWERED, id);
    Atomics.notify(this.#cells, ANSWERED);
  }

  /**
   * Blocks until request number `id` is done, and returns whether it was. Gives up when the sender
   * has published nothing for `quietMillis`; it publishes as long as it sends.
   */
  waitForAnswer(id: number, quietMillis: number): boolean {
    let version = this.version;
    let deadline = performance.now() + quietMillis;
    for (;;) {
      const answered = Atomics.load(this.#cells, ANSWERED);
      if (answered >= id) return true;
      const now = performance.now();
      if (this.version !== version) {
        version = this.version;
        deadline = now + quietMillis;
      }
      if (now >= deadline) return false;
      Atomics.wait(this.#cells, ANSWERED, answered, deadline - now);
    }
  }

  /** Blocks until something is published after `version`, for `timeoutMillis` at most. */
  waitForChange(version: number, timeoutMillis: number): void {
    Atomics.wait(this.#cells, VERSION, version, timeoutMillis);
  }
}
