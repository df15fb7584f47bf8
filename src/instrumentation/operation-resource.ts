import { AsyncResource } from 'node:async_hooks';

/** What an operation resource may say about its unit of work. */
export interface OperationResourceOptions {
  /** What the unit is, for the async-resource tracer: the SQL being executed, a key. */
  description?: string;
}

/**
 * An `AsyncResource` for one unit of work that waits in a queue Node cannot see.
 *
 * Create it where the work is requested: it holds the context that is active there. Call `run`
 * where the work, or a callback of it, happens. Call `end` once when nothing more will come;
 * calling it again does nothing, and a resource that is never ended only costs memory until it
 * is collected.
 *
 * Use it at the boundary of a queue and never on a recursive synchronous path: a stack overflow
 * inside `runInAsyncScope` ends the process.
 */
export class OperationResource extends AsyncResource {
  readonly description: string | undefined;
  #ended = false;

  constructor(type: string, options?: OperationResourceOptions) {
    // Without manual destroy Node would register a weak callback per unit, which costs several
    // times what everything else here does.
    super(type, { requireManualDestroy: true });
    this.description = options?.description;
  }

  get ended(): boolean {
    return this.#ended;
  }

  /** Calls `fn` in the context of this unit of work and returns what it returns. */
  run<This, Args extends unknown[], Result>(
    fn: (this: This, ...args: Args) => Result,
    thisArg: This,
    ...args: Args
  ): Result {
    return this.runInAsyncScope(fn, thisArg, ...args);
  }

  /** Ends the unit of work: `destroy` hooks hear of it, once. */
  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.emitDestroy();
  }
}
