import { context, ROOT_CONTEXT } from '@opentelemetry/api';

import {
  ADDING_METHODS,
  addingListener,
  isWrapper,
  listingListeners,
  type AnyFunction,
  type EventName,
} from '../../../patch/listeners.ts';
import { patchHotMethod, patchMethod, undoAll, type Undo } from '../../../base/patch.ts';
import { guard } from '../guard.ts';
import { SentRequest, type Sent } from './sent-request.ts';

/*
 * Runs the listeners of a request and its response in the context of whoever sent it, where Node emits
 * in another one: that of a connection somebody else opened, or of none. A listener that is added in a
 * context the application entered meanwhile belongs to that one.
 */

type Observe = (sent: Sent, object: object, event: string, args: readonly unknown[]) => void;

/**
 * Patches a class of emitters. `events` are those that Node emits: what the application emits itself
 * runs where it emits it. `observe` hears of the events in `observed` before anybody else.
 */
export function keepCallersContext(
  prototype: object,
  events: ReadonlySet<EventName>,
  observed: ReadonlySet<EventName>,
  observe: Observe,
): Undo {
  const table = prototype as Record<string, AnyFunction>;
  return undoAll([
    patchHotMethod(table, 'emit', (original, patch) => {
      // Looked up anew: what is inherited may be replaced later, as `node:domain` does.
      const isInherited = !Object.hasOwn(prototype, 'emit');
      const parent = Object.getPrototypeOf(prototype) as { emit: AnyFunction };
      return function emit(this: object, event: EventName, ...args: unknown[]): unknown {
        const emitNow = isInherited ? parent.emit : original;
        const sent = events.has(event) ? SentRequest.of(this) : undefined;
        if (sent === undefined || patch.isUndone) return emitNow.call(this, event, ...args);
        if (observed.has(event)) {
          guard('follow a request', () => observe(sent, this, event as string, args));
        }
        try {
          return context.active() === sent.context
            ? emitNow.call(this, event, ...args)
            : context.with(sent.context, emitNow, this, event, ...args);
        } finally {
          if (event === 'close') SentRequest.forget(this);
        }
      };
    }),
    ...addingMethods(table),
    patchMethod(table, 'rawListeners', (original) => listingListeners(original)),
  ]);
}

function addingMethods(table: Record<string, AnyFunction>): (Undo | undefined)[] {
  return ADDING_METHODS.map((method) =>
    patchHotMethod(table, method, (original, patch) => {
      const adding = addingListener(original, (listener) =>
        isWrapper(listener) ? undefined : boundHere(listener),
      );
      return function (this: object, event: EventName, listener: unknown): unknown {
        const sent = SentRequest.of(this);
        if (sent === undefined || patch.isUndone) return original.call(this, event, listener);
        const active = context.active();
        const isOwn = active === sent.context || active === ROOT_CONTEXT;
        return (isOwn ? original : adding).call(this, event, listener);
      };
    }),
  );
}

function boundHere(listener: AnyFunction): AnyFunction {
  const active = context.active();
  return function boundListener(this: unknown, ...args: unknown[]): unknown {
    return context.active() === active
      ? listener.apply(this, args)
      : context.with(active, listener, this, ...args);
  };
}
