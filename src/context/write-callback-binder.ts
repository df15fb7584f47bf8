import { Socket as DatagramSocket } from 'node:dgram';
import { WriteStream } from 'node:fs';
import { OutgoingMessage, ServerResponse } from 'node:http';
import { Interface } from 'node:readline';
import { Duplex, Writable } from 'node:stream';
import { Gzip } from 'node:zlib';

import { onHttp2Served } from '../async/http2-serving.ts';
import { callWith } from './bind-function.ts';
import type { AnyFunction, ContextStore } from './context-store.ts';

/** Where a callback may be handed over that is called when queued data has been written. */
const METHODS: [object, readonly string[]][] = [
  [Writable.prototype, ['write', 'end']],
  // Copies of the above, and not inherited.
  [Duplex.prototype, ['write', 'end']],
  [WriteStream.prototype, ['close']],
  [OutgoingMessage.prototype, ['write', 'end']],
  [ServerResponse.prototype, ['writeContinue', 'writeProcessing', 'writeEarlyHints']],
  [DatagramSocket.prototype, ['send']],
  [Interface.prototype, ['question']],
  // The classes that those of zlib extend are not exported.
  ...classesAbove(Gzip, Duplex).map((above): [object, string[]] => [
    above,
    ['flush', 'params', 'close'],
  ]),
];

/** The prototypes between that of `derived` and that of `base`. */
function classesAbove(derived: { prototype: object }, base: { prototype: object }): object[] {
  const found: object[] = [];
  for (
    let above: unknown = Object.getPrototypeOf(derived.prototype);
    typeof above === 'object' && above !== null && above !== base.prototype;
    above = Object.getPrototypeOf(above)
  ) {
    found.push(above);
  }
  return found;
}

interface Replacement {
  target: Record<string, AnyFunction>;
  method: string;
  original: AnyFunction;
  replacement: AnyFunction;
}

/**
 * Has the callbacks of queued writes run in the context of whoever handed them over, also where
 * somebody else's write is what completes them. From `start` to `stop`.
 */
export class WriteCallbackBinder {
  readonly #store: ContextStore;
  #replacements: Replacement[] = [];
  #stopWaiting: (() => void) | undefined;

  constructor(store: ContextStore) {
    this.#store = store;
  }

  start(): void {
    if (this.#replacements.length > 0) return;
    for (const [prototype, methods] of METHODS) {
      const target = prototype as Record<string, AnyFunction>;
      for (const method of methods) {
        if (Object.hasOwn(target, method)) this.#replace(target, method);
      }
    }
    // Its `write` is that of a `Duplex`.
    this.#stopWaiting = onHttp2Served(({ Http2ServerResponse }) =>
      this.#replace(Http2ServerResponse.prototype as unknown as Record<string, AnyFunction>, 'end'),
    );
  }

  stop(): void {
    this.#stopWaiting?.();
    for (const { target, method, original, replacement } of this.#replacements.splice(0)) {
      // Somebody else's patch on top of ours stays; without a slot ours passes everything on.
      if (target[method] === replacement) target[method] = original;
    }
  }

  #replace(target: Record<string, AnyFunction>, method: string): void {
    const store = this.#store;
    const original = target[method] as AnyFunction;
    const replacement: AnyFunction = function (this: unknown) {
      // No rest parameter: every write of the process comes this way, and few have a callback.
      // oxlint-disable-next-line prefer-rest-params
      const given = arguments;
      const last = given.length - 1;
      const callback: unknown = given[last];
      const context = typeof callback === 'function' ? store.active() : undefined;
      if (context === undefined) return Reflect.apply(original, this, given);
      const args: unknown[] = Array.from(given);
      args[last] = callWith(store, context, callback as AnyFunction);
      return Reflect.apply(original, this, args);
    };
    // Its name and length, and what `util.promisify` looks for.
    for (const key of Reflect.ownKeys(original)) {
      const descriptor = Object.getOwnPropertyDescriptor(original, key);
      if (key !== 'prototype' && descriptor) Object.defineProperty(replacement, key, descriptor);
    }
    target[method] = replacement;
    this.#replacements.push({ target, method, original, replacement });
  }
}
