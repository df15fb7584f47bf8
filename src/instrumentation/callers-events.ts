import type { EventEmitter } from 'node:events';

import { declareType } from '../carry/async-resource-types.ts';
import {
  ADDING_METHODS,
  addingListener,
  isWrapper,
  type AnyFunction,
  type EventName,
} from '../patch/listeners.ts';
import { OperationResource } from '../carry/operation-resource.ts';
import { patchMethod, undoAll, type Undo } from '../base/patch.ts';
import { isContextActive } from './wrap/active-context.ts';

/*
 * Events that belong to a call: `connect` to the call that connects, `acquire` to the call that
 * gets the connection. A listener that was registered outside of every request runs in the context
 * of that call, as it does if the library emits the event during the call. A listener that was
 * registered in a request keeps the request's context instead.
 */

/** Returns the caller to whom `event` of `emitter` belongs, if there is one. */
export type CallerOf = (
  emitter: object,
  event: EventName,
  args: readonly unknown[],
) => OperationResource | undefined;

const TYPE = 'CALLER_OF_EVENT';

/** Returns the caller whose context is active, or `undefined` outside of every request. */
export function callerHere(): OperationResource | undefined {
  if (!isContextActive()) return undefined;
  declareType(TYPE, 'binding');
  return new OperationResource(TYPE);
}

/** Keeps the callers of calls in progress, by the object they were called on. */
export class CallsUnderWay {
  readonly #callers = new WeakMap<object, OperationResource>();

  /** Makes the call that starts now the one to which events of `target` belong. */
  begin(target: object): void {
    this.beginFor(target, callerHere());
  }

  /** The same for a call of `caller`, if there is one. */
  beginFor(target: object, caller: OperationResource | undefined): void {
    if (caller) this.#callers.set(target, caller);
    else this.#callers.delete(target);
  }

  of(target: object): OperationResource | undefined {
    return this.#callers.get(target);
  }

  /** Returns the caller at `target` and forgets it. */
  take(target: object): OperationResource | undefined {
    const caller = this.#callers.get(target);
    this.#callers.delete(target);
    return caller;
  }

  end(target: object): void {
    this.#callers.delete(target);
  }

  /** Returns a promise with the outcome of `call`, after which events belong to no call. */
  async endWith<Result>(target: object, call: PromiseLike<Result>): Promise<Result> {
    try {
      return await call;
    } finally {
      this.#callers.delete(target);
    }
  }
}

/**
 * If `listener` is registered outside of every request, returns it bound to the caller to whom
 * `event` belongs; otherwise returns the result of `otherwise`.
 */
export function heardByCallers(
  listener: AnyFunction,
  event: EventName,
  callerOf: CallerOf,
  otherwise: AnyFunction = listener,
): AnyFunction {
  return function heardListener(this: object, ...args: unknown[]): unknown {
    const caller = callerOf(this, event, args);
    return caller ? caller.run(listener, this, ...args) : Reflect.apply(otherwise, this, args);
  };
}

/**
 * Patches a class of emitters: listeners that are registered outside of every request run in the
 * context of the caller to whom an event belongs. Other listeners are left as they are.
 */
export function patchCallersEvents(prototype: EventEmitter, callerOf: CallerOf): Undo {
  const bind = (listener: AnyFunction, event: EventName): AnyFunction | undefined =>
    isWrapper(listener) || isContextActive()
      ? undefined
      : heardByCallers(listener, event, callerOf);
  const table = prototype as unknown as Record<string, AnyFunction>;
  return undoAll(
    ADDING_METHODS.map((method) =>
      patchMethod(table, method, (original) => addingListener(original, bind)),
    ),
  );
}
