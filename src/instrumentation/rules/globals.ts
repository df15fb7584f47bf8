import { Server } from 'node:net';

import { bindHttpListeners } from '../http/message-listeners.ts';
import type { Undo } from '../patch.ts';
import { tryWrap } from '../wrap.ts';
import type { Rule } from '../wrap/rule.ts';
import { repairBufferedWrites } from './buffered-writes.ts';

/** A rule for a part of Node itself. */
export interface GlobalRule {
  /** What `except` calls it. */
  name: string;
  /** For the table of the documentation. */
  target: string;
  kind: Rule['kind'];
  apply(): Undo | undefined;
}

/** The rules for Node's own modules. @internal */
export const GLOBAL_RULES: readonly GlobalRule[] = [
  {
    name: 'http',
    target: '`IncomingMessage`, `ServerResponse` listeners',
    kind: 'emitter',
    apply: () => bindHttpListeners(),
  },
  {
    name: 'net',
    target: '`Server#listen`',
    kind: 'home',
    apply: () =>
      tryWrap(Server.prototype, { kind: 'home', method: 'listen', module: 'net', leave: 'trace' }),
  },
  {
    name: 'AbortSignal',
    target: '`AbortSignal` listeners',
    kind: 'emitter',
    apply: () => tryWrap(AbortSignal.prototype, { kind: 'emitter', module: 'AbortSignal' }),
  },
  {
    name: 'stream',
    target: 'writes that a `Writable` buffers',
    kind: 'task',
    apply: () => {
      const state = {
        type: 'stream.write',
        label: 'task:stream',
        rule: 'stream',
        linksEmitter: false,
        active: true,
      };
      const undo = repairBufferedWrites(state);
      return () => {
        state.active = false;
        undo();
      };
    },
  },
];

/** Applies the rules for Node's own modules, except those named. */
export function repairGlobals(except: readonly string[]): Undo {
  const undos = GLOBAL_RULES.filter(({ name }) => !except.includes(name)).map((rule) =>
    rule.apply(),
  );
  return () => {
    for (const undo of undos.toReversed()) undo?.();
  };
}
