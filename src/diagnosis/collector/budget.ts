import { performance } from 'node:perf_hooks';

/** Allows so many acts per second: what is dear is done for the first of a flood, not for all. */
export class Budget {
  readonly #perSecond: number;
  #left: number;
  #until = 0;

  constructor(perSecond: number) {
    this.#perSecond = perSecond;
    this.#left = perSecond;
  }

  take(): boolean {
    if (this.#left > 0) {
      this.#left--;
      return true;
    }
    const now = performance.now();
    if (now < this.#until) return false;
    this.#until = now + 1000;
    this.#left = this.#perSecond - 1;
    return true;
  }
}
