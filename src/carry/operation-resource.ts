import { AsyncResource } from 'node:async_hooks';

import { UNNAMED } from '../async/collecting.ts';
import { leaveDomain, reenterDomain } from '../async/domains.ts';

/*
 * `nested` counts the scopes of operation resources that are open on the stack. It bounds
 * recursion: a stack overflow inside `runInAsyncScope` ends the process, while one far above the
 * last scope is an ordinary RangeError. Beyond the bound a scope is not entered and the work runs
 * in the context it finds.
 */
const MAX_NESTED_SCOPES = 100;
let nested = 0;

/** Counts a scope that is entered; false where it must not be. @internal */
export function openScope(): boolean {
  if (nested >= MAX_NESTED_SCOPES) return false;
  nested++;
  return true;
}

/** Counts a scope that is left. @internal */
export function closeScope(): void {
  nested--;
}

const MANUAL_DESTROY = Object.freeze({ requireManualDestroy: true });

/** Options of an `OperationResource`. */
export interface OperationResourceOptions {
  /** Describes the unit for the async-resource tracer: the SQL being executed, a key. */
  description?: string;
  /**
   * Set it if `end` is certain to be called, on errors too. Otherwise, while a `destroy` hook is
   * enabled, Node emits `destroy` when the resource is collected, at the cost of one weak callback
   * per unit.
   */
  requireManualDestroy?: boolean;
}

/**
 * An `AsyncResource` for one unit of work that waits in a queue Node cannot see.
 *
 * Create it where the work is requested: it keeps the context that is active there. Call `run`
 * where the work, or a callback of it, runs. Call `end` when no more callbacks will come; further
 * calls do nothing. If it is never ended, it only takes memory until it is collected.
 *
 * Use it at the boundary of a queue, not on a recursive synchronous path: beyond a hundred nested
 * scopes, `run` no longer switches the context.
 */
export class OperationResource extends AsyncResource {
  /**
   * Describes the unit of work for the async-resource tracer. A field, since the tracer calls no
   * getters.
   */
  description: string | undefined;
  #ended = false;

  constructor(type: string, options?: OperationResourceOptions) {
    const domain = leaveDomain();
    super(type, options?.requireManualDestroy === true ? MANUAL_DESTROY : undefined);
    reenterDomain(domain);
    this.description = options?.description;
  }

  get ended(): boolean {
    return this.#ended;
  }

  /** Whether `run` would no longer switch the context, as too many scopes are open. @internal */
  static get isTooDeep(): boolean {
    return nested >= MAX_NESTED_SCOPES;
  }

  /** Calls `fn` in the context of this unit of work and returns what it returns. */
  run<This, Args extends unknown[], Result>(
    fn: (this: This, ...args: Args) => Result,
    thisArg: This,
    ...args: Args
  ): Result {
    if (!openScope()) return Reflect.apply(fn, thisArg, args);
    try {
      return this.runInAsyncScope(fn, thisArg, ...args);
    } finally {
      closeScope();
    }
  }

  /** Ends the unit of work and emits `destroy`, once. */
  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.emitDestroy();
  }
}

// People know the work by its type, and not by this class.
Object.defineProperty(OperationResource.prototype, UNNAMED, { value: true });
