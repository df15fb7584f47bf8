import type { SpanEvent } from './span-event.ts';

const MAX_NAMES = 2000;

/** Tracks which span names have parents: a span that has one elsewhere should have one here. */
export class SpanNames {
  readonly #parented = new Set<string>();

  count({ name }: SpanEvent, hasParent: boolean): void {
    if (hasParent && this.#parented.size < MAX_NAMES) this.#parented.add(name);
  }

  hasParents(name: string): boolean {
    return this.#parented.has(name);
  }
}
