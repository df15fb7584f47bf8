/**
 * A map of at most `max` entries, which drops the oldest when it is full.
 *
 * The order is kept in a separate ring: reading the first key of a `Map` walks over all deleted
 * entries before it, which is slow if every entry gets deleted.
 */
export class BoundedMap<Value> {
  readonly #max: number;
  readonly #values = new Map<number, Value>();
  readonly #order: number[] = [];
  #next = 0;

  constructor(max: number) {
    this.#max = max;
  }

  get size(): number {
    return this.#values.size;
  }

  get(key: number): Value | undefined {
    return this.#values.get(key);
  }

  has(key: number): boolean {
    return this.#values.has(key);
  }

  set(key: number, value: Value): void {
    if (!this.#values.has(key)) {
      const oldest = this.#order[this.#next];
      if (oldest !== undefined) this.#values.delete(oldest);
      this.#order[this.#next] = key;
      this.#next = (this.#next + 1) % this.#max;
    }
    this.#values.set(key, value);
  }

  delete(key: number): void {
    this.#values.delete(key);
  }

  clear(): void {
    this.#values.clear();
    this.#order.length = 0;
    this.#next = 0;
  }
}
