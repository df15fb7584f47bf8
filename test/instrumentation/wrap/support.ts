import { AsyncLocalStorage } from 'node:async_hooks';

/** A plain store: what rules have to repair without any context manager of OpenTelemetry. */
export const store: AsyncLocalStorage<string> = new AsyncLocalStorage<string>();

export const as = <T>(caller: string, fn: () => T): T => store.run(caller, fn);

/** A queue of callbacks that somebody else releases: the smallest library that loses contexts. */
export class Pool {
  readonly waiting: (() => void)[] = [];

  acquire(callback: (error: unknown, value: number) => void, value = 1): this {
    this.waiting.push(() => callback(null, value));
    return this;
  }

  release(): void {
    for (const each of this.waiting.splice(0)) each();
  }
}
