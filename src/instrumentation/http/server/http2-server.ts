import type * as Http2 from 'node:http2';

import { patchHotMethod, patchMethod, undoAll, type Undo } from '../../../base/patch.ts';
import { bindMessageListeners } from '../message-listeners.ts';
import { sizeOf, type PeerSocket } from './request-attributes.ts';
import { emitWithin, patchServer, type Emit } from './http1-server.ts';
import type { InFlight } from './request-context.ts';
import { ABORTED_BY_CLIENT, DESTROYED, type ResponseEnd } from './response-end.ts';
import type { ServerRecorder } from './server-recorder.ts';
import { Served } from './server-request.ts';
import { sendServerTiming } from './server-timing.ts';

/*
 * Requests of HTTP/2: each is a stream, from the `stream` event of the server to the `close` of the
 * stream. The compatibility API, with requests and responses, is made by a listener of that event.
 */

interface Emitter {
  emit: Emit;
}
type Stream = Http2.ServerHttp2Stream;
type Headers = Http2.IncomingHttpHeaders;

/** The HTTP/2 error codes that are no failure, and what the client sends that waits no longer. */
const NO_ERROR = 0;
const CANCEL = 8;

/** Replaces `emit` of the servers of HTTP/2 and, once the first one comes, of their streams. */
export function patchHttp2(http2: typeof Http2, recorder: ServerRecorder): Undo {
  const streams = new StreamClass();
  const undos = serverPrototypes(http2).map((prototype) => {
    const undo = patchServers(prototype, recorder, streams);
    // Its servers of TLS speak HTTP/1 as well, if they are told to.
    return undoAll([undo, patchServer(prototype, recorder)]);
  });
  undos.push(
    bindMessageListeners(http2.Http2ServerRequest.prototype, 'http2'),
    bindMessageListeners(http2.Http2ServerResponse.prototype, 'http2'),
  );
  return () => {
    undoAll(undos)();
    streams.undo();
  };
}

/** The classes are not exported; a server that does not listen costs nothing. */
function serverPrototypes(http2: typeof Http2): object[] {
  return [http2.createServer(), http2.createSecureServer({})].map(
    (server) => Object.getPrototypeOf(server) as object,
  );
}

function patchServers(
  prototype: object,
  recorder: ServerRecorder,
  streams: StreamClass,
): Undo | undefined {
  return patchHotMethod(prototype as Emitter, 'emit', (original: Emit, patch): Emit => {
    return function emit(event, first, second): boolean {
      // oxlint-disable-next-line prefer-rest-params
      const args = arguments;
      if (!patch.isUndone) {
        if (event === 'stream') {
          const started = startStream(recorder, streams, first as Stream, second as Headers);
          if (started !== undefined) return emitWithin(started, original, this, args, first);
        } else if (event === 'request' && recorder.config.serverTiming) {
          sendTiming(first as Http2.Http2ServerRequest, second);
        }
      }
      return Reflect.apply(original, this, args) as boolean;
    };
  });
}

function startStream(
  recorder: ServerRecorder,
  streams: StreamClass,
  stream: Stream,
  headers: Headers,
): InFlight | undefined {
  if (typeof stream !== 'object' || stream === null || Served.requestOf(stream)) return undefined;
  const socket = socketOf(stream);
  const head = {
    method: headers[':method'] ?? 'GET',
    url: headers[':path'] ?? '/',
    headers,
    authority: headers[':authority'] ?? headers.host,
    scheme: headers[':scheme'] ?? (socket?.encrypted === true ? 'https' : 'http'),
    version: '2',
    socket,
  };
  const started = recorder.start(head, stream, head, readEnd);
  if (started === undefined) return undefined;
  Served.mark(stream, started);
  streams.patch(stream);
  if (head.method === 'CONNECT' && started.isRecorded) endWithHead(stream, started);
  return started;
}

/** The class of the streams of servers, which no module exports. */
class StreamClass {
  readonly #undos: Undo[] = [];
  readonly #patched = new WeakSet<object>();

  patch(stream: Stream): void {
    const prototype = Object.getPrototypeOf(stream) as object;
    if (this.#patched.has(prototype)) return;
    this.#patched.add(prototype);
    const undo = undoAll([patchStream(prototype), bindMessageListeners(prototype, 'http2')]);
    this.#undos.push(undo);
  }

  undo(): void {
    for (const undo of this.#undos.splice(0)) undo();
  }
}

function patchStream(prototype: object): Undo | undefined {
  return patchHotMethod(prototype as Emitter, 'emit', (original: Emit, patch): Emit => {
    return function emit(event): boolean {
      try {
        // oxlint-disable-next-line prefer-rest-params
        return Reflect.apply(original, this, arguments) as boolean;
      } finally {
        if (event === 'close' && !patch.isUndone) {
          Served.requestOf(this as object)?.end(isSent(this as Stream), this as Stream);
        }
      }
    };
  });
}

/** A tunnel has its answer with the head of the response; what follows may last for hours. */
function endWithHead(stream: Stream, request: InFlight): void {
  const undo = patchMethod(stream, 'respond', (original) => {
    return function (this: Stream, ...args: unknown[]): void {
      undo?.();
      try {
        Reflect.apply(original, this, args);
      } finally {
        request.end(this.headersSent, this);
      }
    };
  });
}

/** Whether both sides were done with the stream. */
function isSent(stream: Stream): boolean {
  return stream.rstCode === NO_ERROR && !stream.aborted && stream.headersSent;
}

function readEnd(message: never, sent: boolean): ResponseEnd {
  const stream = message as Stream;
  const headers = (stream.sentHeaders ?? {}) as Record<string, unknown>;
  const status = Number(headers[':status']);
  return {
    status: stream.headersSent && status > 0 ? status : undefined,
    size: sent ? sizeOf(headers['content-length']) : undefined,
    failure: sent ? undefined : failureOf(stream),
    header: (name) => headers[name],
    trailer: (name) => stream.sentTrailers?.[name] ?? headers[name],
    response: stream,
  };
}

/** A server that gives a stream up has another code for it, unless it asks for this one. */
function failureOf({ rstCode, destroyed }: Stream): string {
  if (!destroyed) return DESTROYED;
  return rstCode === CANCEL || rstCode === NO_ERROR ? ABORTED_BY_CLIENT : DESTROYED;
}

/** The session hands out a proxy, which throws once the session is over. */
function socketOf(stream: Stream): PeerSocket | undefined {
  try {
    const { socket } = stream.session ?? {};
    return socket === undefined
      ? undefined
      : {
          remoteAddress: socket.remoteAddress,
          remotePort: socket.remotePort,
          localAddress: socket.localAddress,
          localPort: socket.localPort,
          encrypted: stream.session?.encrypted === true,
        };
  } catch {
    return undefined;
  }
}

function sendTiming(request: Http2.Http2ServerRequest, response: Http2.Http2ServerResponse): void {
  const { stream } = request;
  const started = typeof stream === 'object' ? Served.requestOf(stream) : undefined;
  if (started !== undefined) sendServerTiming(response, started);
}
