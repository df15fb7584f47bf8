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
 * Events that are about a call: `connect` about the call that connects, `acquire` about the one that a
 * pool gives a connection to. A listener that was registered outside of every request hears them in
 * the context of that call, as it does where the library emits them in the call's own course. A
 * listener that was registered in a request keeps the request's context instead.
 */

/** Returns the caller that `event` of `emitter` is about, if there is one. */
export type CallerOf = (
  emitter: object,
  event: EventName,
  args: readonly unknown[],
) => OperationResource | undefined;

const TYPE = 'CALLER_OF_EVENT';

/** The caller whose context is active, or `undefined` outside of every request. */
export function callerHere(): OperationResource | undefined {
  if (!isContextActive()) return undefined;
  declareType(TYPE, 'binding');
  return new OperationResource(TYPE);
}

/** The callers of calls that are under way, by what they were called on. */
export class CallsUnderWay {
  readonly #callers = new WeakMap<object, OperationResource>();

  /** The call that starts here and now at `target` is the one that its events are about. */
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

  /** Returns the caller at `target`, and no longer after that. */
  take(target: object): OperationResource | undefined {
    const caller = this.#callers.get(target);
    this.#callers.delete(target);
    return caller;
  }

  end(target: object): void {
    this.#callers.delete(target);
  }

  /** The same outcome as that of `call`, after which its events are nobody's. */
  async endWith<Result>(target: object, call: PromiseLike<Result>): Promise<Result> {
    try {
      return await call;
    } finally {
      this.#callers.delete(target);
    }
  }
}

/**
 * Returns `listener`, which is registered outside of every request, in the context of the caller that
 * `event` is about; else what `otherwise` makes of it.
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
 * Patches a class of emitters whose other listeners are left as they are: those that are registered
 * outside of every request hear events in the context of the caller that they are about.
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
