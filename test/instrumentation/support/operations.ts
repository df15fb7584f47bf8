import { createHook } from 'node:async_hooks';
import { setTimeout as wait } from 'node:timers/promises';

import { PendingOperation } from '../../../src/instrumentation/pending-operation.ts';

/** The operations that were begun since, by the type of their async resource. */
export interface Watch {
  /** Stops watching, and tells which of them do not end. */
  unended(): Promise<string[]>;
}

/** Watches what is begun from now on: a tracer waits for what does not end. */
export function watchOperations(): Watch {
  const begun = new Map<PendingOperation, string>();
  const hook = createHook({
    init(_asyncId, type, _triggerAsyncId, resource) {
      if (resource instanceof PendingOperation) begun.set(resource, type);
    },
  }).enable();
  return {
    async unended() {
      hook.disable();
      const left = (): string[] => [...begun].flatMap(([it, type]) => (it.ended ? [] : [type]));
      // A connection may have to hear of it first.
      for (let tries = 0; tries < 20 && left().length > 0; tries += 1) await wait(10);
      return left();
    },
  };
}
