import { undoAll, type Undo } from './patch.ts';

/** Patches the class of an object when the first object of that class is seen, and undoes all of them at once. */
export class SeenPrototypes {
  readonly #patch: (prototype: object) => Undo | undefined;
  readonly #seen = new WeakSet<object>();
  readonly #undos: Undo[] = [];

  /** `patch` patches a prototype; `undefined` where there is nothing to patch. */
  constructor(patch: (prototype: object) => Undo | undefined) {
    this.#patch = patch;
  }

  /** Patches the prototype of `object`, unless it was seen before. */
  see(object: object): void {
    const prototype = Object.getPrototypeOf(object) as object;
    if (this.#seen.has(prototype)) return;
    this.#seen.add(prototype);
    const undo = this.#patch(prototype);
    if (undo) this.#undos.push(undo);
  }

  readonly undo: Undo = () => undoAll(this.#undos)();
}
