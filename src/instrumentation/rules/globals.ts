import { Server } from 'node:net';

import { bindHttpListeners } from '../http/message-listeners.ts';
import { undoAll, type Undo } from '../../base/patch.ts';
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
    target: '`Server#_listen2`, listeners for `listening`, `close` and `error`',
    kind: 'root',
    apply: repairServers,
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

/** What a server emits for who started or closes it. */
const OF_ITS_OWNER = ['listening', 'close', 'error'];

/**
 * A server outlives the call that starts it, so what listens is made in the root context; who waits for it
 * is called back in their own. `_listen2` makes the handle, for every form of `listen`.
 */
function repairServers(): Undo {
  const module = 'net';
  const undos = [
    tryWrap(Server.prototype, { kind: 'root', method: '_listen2', module, leave: 'trace' }),
    tryWrap(Server.prototype, { kind: 'emitter', module, events: OF_ITS_OWNER, when: 'lost' }),
  ];
  return undoAll(undos);
}

/** Applies the rules for Node's own modules, except those named. */
export function repairGlobals(except: readonly string[]): Undo {
  const undos = GLOBAL_RULES.filter(({ name }) => !except.includes(name)).map((rule) =>
    rule.apply(),
  );
  return () => {
    for (const undo of undos.toReversed()) undo?.();
  };
}
