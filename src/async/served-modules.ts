import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type * as Http2 from 'node:http2';
import type * as Https from 'node:https';
import { createRequire } from 'node:module';

/*
 * Modules of Node that are known to be in use as soon as one of their servers has a connection, which
 * is before its first request. They are not imported: that would make every application start later,
 * and there are builds of Node without them.
 */

class ServedModule<Module> {
  readonly #name: string;
  readonly #isServer: (server: object) => boolean;
  #module: Module | undefined;

  constructor(name: string, isServer: (server: object) => boolean) {
    this.#name = name;
    this.#isServer = isServer;
  }

  /** Calls `found` with the module once it is in use. Returns a function that undoes it. */
  on(found: (module: Module) => void): () => void {
    if (this.#module !== undefined) {
      found(this.#module);
      return () => undefined;
    }
    const onConnection = (message: unknown): void => {
      const { server } = (message as { socket?: { server?: unknown } }).socket ?? {};
      if (typeof server !== 'object' || server === null || !this.#isServer(server)) return;
      stop();
      this.#module ??= createRequire(import.meta.url)(this.#name) as Module;
      found(this.#module);
    };
    const stop = (): void => void unsubscribe('net.server.socket', onConnection);
    subscribe('net.server.socket', onConnection);
    return stop;
  }
}

/** Its classes are not exported. */
function isHttp2Server(server: object): boolean {
  const name = (server as { constructor?: { name?: unknown } }).constructor?.name;
  return name === 'Http2Server' || name === 'Http2SecureServer';
}

/** A server of TLS that has what servers of HTTP have, and not of HTTP/2. */
function isHttpsServer(server: object): boolean {
  const { setSecureContext } = server as { setSecureContext?: unknown };
  return (
    typeof setSecureContext === 'function' && 'headersTimeout' in server && !isHttp2Server(server)
  );
}

const http2 = new ServedModule<typeof Http2>('node:http2', isHttp2Server);
const https = new ServedModule<typeof Https>('node:https', isHttpsServer);

/** Calls `found` with `node:http2` once a server of its has a connection. Returns the undo. */
export function onHttp2Served(found: (module: typeof Http2) => void): () => void {
  return http2.on(found);
}

/** Calls `found` with `node:https` once a server of its has a connection. Returns the undo. */
export function onHttpsServed(found: (module: typeof Https) => void): () => void {
  return https.on(found);
}
