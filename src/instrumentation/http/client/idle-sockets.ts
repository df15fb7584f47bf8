import type { Agent } from 'node:http';
import type { Socket } from 'node:net';

import { runOutsideTrace } from '../../../carry/root-context.ts';
import { patchHotMethod, type Undo } from '../../../base/patch.ts';
import { guard } from '../guard.ts';

/** A handle that takes another async resource, as Node itself has it do when a socket is used again. */
interface Handle {
  asyncReset?: (resource: object) => void;
  /** Below TLS: the handle of the connection. */
  _parent?: Handle | null;
}

interface PooledSocket extends Socket {
  _httpMessage?: unknown;
  _handle?: Handle | null;
}

/**
 * Has sockets forget the request they were used for when they go back to their agent: an idle socket
 * would hold its context as long as it lives.
 */
export function releaseIdleSockets(prototype: Agent): Undo | undefined {
  return patchHotMethod(prototype, 'emit', (original, patch) => {
    const isInherited = !Object.hasOwn(prototype, 'emit');
    const parent = Object.getPrototypeOf(prototype) as { emit: typeof original };
    return function emit(this: Agent, event: string | symbol, ...args: unknown[]): boolean {
      const emitNow = isInherited ? parent.emit : original;
      if (event !== 'free' || patch.isUndone) return emitNow.call(this, event, ...args);
      // The timer of an idle socket is set here; a request that waited has its own context.
      const result = runOutsideTrace(emitNow, this, event, ...args);
      guard('release a socket', () => release(args[0] as PooledSocket | undefined));
      return result;
    };
  });
}

function release(socket: PooledSocket | undefined): void {
  // Another request has it already, or it is gone.
  if (socket?._httpMessage !== null || !socket._handle) return;
  runOutsideTrace(releaseHere, undefined, socket, socket._handle);
}

/** Handles whose own object holds nothing any more. */
const emptied = new WeakSet<Handle>();

function releaseHere(socket: PooledSocket, handle: Handle): void {
  for (const each of [handle, handle._parent]) {
    const asyncReset = each && nativeReset(each);
    if (!asyncReset) continue;
    // A context may lie on the handle, since it was made, and on what it was reset to after that.
    if (!emptied.has(each)) asyncReset.call(each, each);
    emptied.add(each);
    asyncReset.call(each, {});
  }
  if (timerOf(socket) === null) return;
  const { timeout = 0 } = socket;
  // The timer was set for a request, and is remembered also where it is off.
  if (timeout === 0) socket.setTimeout(SOME_MILLIS);
  socket.setTimeout(timeout);
}

/** Node's own method: what was put on the handle itself waits for the calls of Node. */
function nativeReset(handle: Handle): Handle['asyncReset'] {
  const { asyncReset } = Object.getPrototypeOf(handle) as Handle;
  return typeof asyncReset === 'function' ? asyncReset : undefined;
}

const SOME_MILLIS = 60_000;
let timerKey: symbol | undefined;

/** The timer of a socket, null where it never had one; undefined where that cannot be told. */
function timerOf(socket: Socket): unknown {
  timerKey ??= Object.getOwnPropertySymbols(socket).find(
    ({ description }) => description === 'timeout',
  );
  return timerKey && (socket as unknown as Record<symbol, unknown>)[timerKey];
}
