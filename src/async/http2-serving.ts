import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type * as Http2 from 'node:http2';
import { createRequire } from 'node:module';

/** `node:http2`, once something is known to have loaded it. */
let http2: typeof Http2 | undefined;

/**
 * Calls `found` with `node:http2` as soon as a server of its has a connection, which is before the
 * first request. Returns the undo. It is not imported: that would make every application start
 * later, and there are builds of Node without it.
 */
export function onHttp2Served(found: (http2: typeof Http2) => void): () => void {
  if (http2 !== undefined) {
    found(http2);
    return () => undefined;
  }
  const onConnection = (message: unknown): void => {
    if (!isHttp2Server((message as { socket?: { server?: unknown } }).socket?.server)) return;
    stop();
    http2 = createRequire(import.meta.url)('node:http2') as typeof Http2;
    found(http2);
  };
  const stop = (): void => void unsubscribe('net.server.socket', onConnection);
  subscribe('net.server.socket', onConnection);
  return stop;
}

/** Its classes are not exported. */
function isHttp2Server(server: unknown): boolean {
  const name = (server as { constructor?: { name?: unknown } } | undefined)?.constructor?.name;
  return name === 'Http2Server' || name === 'Http2SecureServer';
}
