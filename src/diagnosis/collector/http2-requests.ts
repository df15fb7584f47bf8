import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { EventEmitter } from 'node:events';
import type * as Http2 from 'node:http2';

import { onHttp2Served } from '../../async/served-modules.ts';

type Begun = (request: Http2.Http2ServerRequest, response: Http2.Http2ServerResponse) => void;

/**
 * Calls `loaded` with `node:http2` once a server of it has a connection, and `begun` for each
 * request of a server that listens for `request`. There is no channel for these on Node 20. A
 * server that listens for `stream` only is left alone: a listener for `request` would change it.
 */
export function onHttp2Requests(loaded: (http2: typeof Http2) => void, begun: Begun): () => void {
  const servers = new Set<WeakRef<EventEmitter>>();
  const known = new WeakSet<EventEmitter>();
  const listener = (...args: unknown[]): void => {
    begun(args[0] as Http2.Http2ServerRequest, args[1] as Http2.Http2ServerResponse);
  };
  const onConnection = (message: unknown): void => {
    const { server } = (message as { socket: { server?: EventEmitter } }).socket;
    if (!server || known.has(server) || !/^Http2(?:Secure)?Server$/.test(server.constructor.name)) {
      return;
    }
    if (server.listenerCount('request') === 0) return;
    known.add(server);
    servers.add(new WeakRef(server));
    server.prependListener('request', listener);
  };
  const stopLoading = onHttp2Served(loaded);
  subscribe('net.server.socket', onConnection);
  return () => {
    stopLoading();
    unsubscribe('net.server.socket', onConnection);
    for (const server of servers) server.deref()?.off('request', listener);
    servers.clear();
  };
}
