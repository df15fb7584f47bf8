import { http } from '../../base/node-http.ts';
import type { Undo } from '../../base/patch.ts';
import { tryWrap } from '../wrap.ts';
import type { EmitterRule } from '../wrap/rule.ts';

/*
 * Listeners of requests and responses run in the context in which they were added. The repair rules
 * ask for it, and so does the instrumentation of HTTP, which may be used without them: a class is
 * patched for both, once. An entry lives as long as one of them wants it.
 */

interface Bound {
  users: number;
  readonly undo: Undo | undefined;
}
const bound = new Map<object, Bound>();

/**
 * A response is often ended in a richer context of its request than the one where `finish` was
 * listened to.
 */
const RULE = { kind: 'emitter', type: 'http.listener', when: 'lost' } as const;

/** Binds the listeners of the instances of a class from now on. Returns the undo. */
export function bindMessageListeners(prototype: object, module: string): Undo {
  const rule: EmitterRule = { ...RULE, module };
  const entry = bound.get(prototype) ?? { users: 0, undo: tryWrap(prototype, rule) };
  entry.users++;
  bound.set(prototype, entry);
  let isOver = false;
  return () => {
    if (isOver) return;
    isOver = true;
    if (--entry.users > 0) return;
    bound.delete(prototype);
    entry.undo?.();
  };
}

/** Binds those of the messages of `node:http`. */
export function bindHttpListeners(): Undo {
  const undos = [http.IncomingMessage, http.ServerResponse].map(({ prototype }) =>
    bindMessageListeners(prototype, 'http'),
  );
  return () => {
    for (const undo of undos) undo();
  };
}
