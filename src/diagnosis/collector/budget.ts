import { performance } from 'node:perf_hooks';

/**
 * Limits the number of expensive operations per second: in a flood they are done for the first few
 * only.
 */
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
