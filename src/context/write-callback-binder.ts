import { Socket as DatagramSocket } from 'node:dgram';
import { OutgoingMessage } from 'node:http';
import { Duplex, Writable } from 'node:stream';

import { contextOf } from './attachment.ts';
import { bindFunction } from './bind-function.ts';
import type { AnyFunction, ContextStore } from './context-store.ts';

/** Where a callback may be handed over that is called when queued data has been written. */
const METHODS: [object, readonly string[]][] = [
  [Writable.prototype, ['write', 'end']],
  // Copies of the above, and not inherited.
  [Duplex.prototype, ['write', 'end']],
  [OutgoingMessage.prototype, ['write', 'end']],
  [DatagramSocket.prototype, ['send']],
];

/**
 * Has the callbacks of queued writes run in the context of whoever handed them over, also where
 * somebody else's write is what completes them. From `start` to `stop`.
 */
export class WriteCallbackBinder {
  readonly #store: ContextStore;
  #undos: (() => void)[] = [];

  constructor(store: ContextStore) {
    this.#store = store;
  }

  start(): void {
    if (this.#undos.length > 0) return;
    for (const [prototype, methods] of METHODS) {
      const target = prototype as Record<string, AnyFunction>;
      for (const method of methods) {
        if (Object.hasOwn(target, method)) this.#replace(target, method);
      }
    }
  }

  stop(): void {
    for (const undo of this.#undos.splice(0)) undo();
  }

  #replace(target: Record<string, AnyFunction>, method: string): void {
    const store = this.#store;
    const original = target[method] as AnyFunction;
    const replacement: AnyFunction = function (this: unknown, ...args: unknown[]) {
      const last = args.length - 1;
      const callback = args[last];
      if (typeof callback === 'function') {
        const context = contextOf(store.get());
        if (context !== undefined) {
          args[last] = bindFunction(store, context, callback as AnyFunction);
        }
      }
      return Reflect.apply(original, this, args);
    };
    for (const key of ['name', 'length'] as const) {
      Object.defineProperty(replacement, key, { value: original[key], configurable: true });
    }
    target[method] = replacement;
    this.#undos.push(() => {
      // Somebody else's patch on top of ours stays; without a slot ours passes everything on.
      if (target[method] === replacement) target[method] = original;
    });
  }
}
