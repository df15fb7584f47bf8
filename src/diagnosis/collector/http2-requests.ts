import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { EventEmitter } from 'node:events';
import type * as Http2 from 'node:http2';

import { onHttp2Served } from '../../async/served-modules.ts';

export interface Http2Listeners {
  /** A server of `node:http2` has a connection for the first time. */
  loaded: (http2: typeof Http2) => void;
  /** A request of a server that listens for `request`. */
  request: (request: Http2.Http2ServerRequest, response: Http2.Http2ServerResponse) => void;
  /** A stream of a server that listens for `stream` only. */
  stream: (stream: Http2.ServerHttp2Stream, headers: Http2.IncomingHttpHeaders) => void;
}

/**
 * Listens for the requests of `node:http2` servers, for which Node 20 has no channel. It listens
 * for the same event as the application: a listener for `request` would change a server that only
 * listens for `stream`. Returns a function that undoes it.
 */
export function onHttp2Requests({ loaded, request, stream }: Http2Listeners): () => void {
  const servers = new Set<WeakRef<EventEmitter>>();
  const known = new WeakSet<EventEmitter>();
  const listeners = {
    request: (...args: unknown[]): void =>
      request(args[0] as Http2.Http2ServerRequest, args[1] as Http2.Http2ServerResponse),
    stream: (...args: unknown[]): void =>
      stream(args[0] as Http2.ServerHttp2Stream, args[1] as Http2.IncomingHttpHeaders),
  };
  const onConnection = (message: unknown): void => {
    const { server } = (message as { socket: { server?: EventEmitter } }).socket;
    if (!server || known.has(server) || !/^Http2(?:Secure)?Server$/.test(server.constructor.name)) {
      return;
    }
    const event = (['request', 'stream'] as const).find((name) => server.listenerCount(name) > 0);
    if (!event) return;
    known.add(server);
    servers.add(new WeakRef(server));
    server.prependListener(event, listeners[event]);
  };
  const stopLoading = onHttp2Served(loaded);
  subscribe('net.server.socket', onConnection);
  return () => {
    stopLoading();
    unsubscribe('net.server.socket', onConnection);
    for (const server of servers) {
      for (const [event, listener] of Object.entries(listeners)) {
        server.deref()?.off(event, listener);
      }
    }
    servers.clear();
  };
}
