/** A function with the arity and the name of another one, which frameworks go by. */
export function withArityOf<Fn extends (...args: never[]) => unknown>(target: Fn, fn: Fn): Fn {
  for (const key of ['name', 'length'] as const) {
    Object.defineProperty(fn, key, { value: target[key], configurable: true });
  }
  return fn;
}

/** Makes lists of what `watch` makes of the items of others, each list once as long as it stays. */
export class WatchedLists<Item extends object> {
  readonly #watch: (item: Item) => Item;
  readonly #known = new WeakMap<readonly Item[], { of: Item[]; list: Item[] }>();

  constructor(watch: (item: Item) => Item) {
    this.#watch = watch;
  }

  of(items: readonly Item[]): Item[] {
    let known = this.#known.get(items);
    const isSame =
      known?.of.length === items.length && known.of.every((item, index) => item === items[index]);
    if (known === undefined || !isSame) {
      known = { of: [...items], list: items.map(this.#watch) };
      this.#known.set(items, known);
    }
    return known.list;
  }
}
