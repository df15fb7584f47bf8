import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';

import { context } from '@opentelemetry/api';

import { watchUncaught } from '../../../async/uncaught-error.ts';
import { runOutsideTrace } from '../../../carry/root-context.ts';
import { patchHotMethod, type Undo } from '../../../base/patch.ts';
import { sizeOf, type PeerSocket } from './request-attributes.ts';
import { watchAnswer } from './raw-answer.ts';
import { InFlight, recordError } from './request-context.ts';
import { ABORTED_BY_CLIENT, DESTROYED, type ResponseEnd } from './response-end.ts';
import type { ServerRecorder } from './server-recorder.ts';
import { sendServerTiming } from './server-timing.ts';
import { Served } from './server-request.ts';

/*
 * Requests of HTTP/1: from the emission of a server's event to the end of the response.
 *
 * A request begins in `emit` of the server, because only around that can a context be entered; Node's
 * channels call nothing. It ends in `emit` of the response, after the listeners of `finish`, or of
 * `close` where the response was not sent. No listener is added to anything.
 */

// What is patched has no signature we could know.
// oxlint-disable-next-line typescript/no-explicit-any
export type Emit = (this: any, event: string | symbol, ...args: any[]) => any;
interface Emitter {
  emit: Emit;
}

/** What of Node's is used that its types do not have. */
type NodeSocket = Duplex &
  PeerSocket & { _httpMessage?: object | null; errored?: NodeJS.ErrnoException | null };
type NodeResponse = ServerResponse & {
  _header?: string | null;
  _contentLength?: number | null;
  _hasBody?: boolean;
};

/** Replaces `emit` of a class of servers. */
export function patchServer(prototype: object, recorder: ServerRecorder): Undo | undefined {
  return patchHotMethod(prototype as Emitter, 'emit', (original: Emit, patch): Emit => {
    return function emit(event, request, second): boolean {
      if (!patch.isUndone && typeof event === 'string') {
        const kind = EVENTS[event];
        if (kind !== undefined && isBeginning(request, second)) {
          const started =
            kind === 'answered'
              ? startRequest(recorder, request as IncomingMessage, second)
              : startRaw(recorder, this as Server, event, request as IncomingMessage, second);
          // oxlint-disable-next-line prefer-rest-params
          if (started !== undefined)
            return emitWithin(
              started,
              original,
              this,
              arguments,
              kind === 'answered' ? second : undefined,
            );
        }
      }
      // oxlint-disable-next-line prefer-rest-params
      return Reflect.apply(original, this, arguments) as boolean;
    };
  });
}

/** Replaces `emit` of responses. */
export function patchResponse(prototype: object): Undo | undefined {
  return patchHotMethod(prototype as Emitter, 'emit', (original: Emit, patch): Emit => {
    return function emit(event): boolean {
      // oxlint-disable-next-line prefer-rest-params
      const args = arguments;
      if ((event !== 'finish' && event !== 'close') || patch.isUndone) {
        return Reflect.apply(original, this, args) as boolean;
      }
      const request = Served.requestOf(this as object);
      if (request === undefined) return Reflect.apply(original, this, args) as boolean;
      try {
        // What Node does at the end of a response concerns the connection, which outlives it: the
        // timer of an idle one would keep the context. The application's listeners have their own.
        return runOutsideTrace(() => Reflect.apply(original, this, args) as boolean, undefined);
      } finally {
        if (event === 'finish') request.end(true, this as object);
        else endUnsent(request, this as ServerResponse);
      }
    };
  });
}

/** The events of a server that a request begins with. */
const EVENTS: Readonly<Record<string, 'answered' | 'raw' | undefined>> = Object.assign(
  Object.create(null) as object,
  {
    request: 'answered',
    checkContinue: 'answered',
    checkExpectation: 'answered',
    upgrade: 'raw',
    connect: 'raw',
  } as const,
);

/** An application may emit the event of a request again, at the same server or at another. */
function isBeginning(request: unknown, second: unknown): boolean {
  return (
    typeof request === 'object' &&
    request !== null &&
    typeof second === 'object' &&
    second !== null &&
    // Those of HTTP/2 begin with their stream.
    (request as Partial<IncomingMessage>).httpVersionMajor === 1 &&
    Served.requestOf(request) === undefined
  );
}

function startRequest(
  recorder: ServerRecorder,
  request: IncomingMessage,
  response: ServerResponse,
): InFlight | undefined {
  const started = start(recorder, request, readEnd);
  if (started === undefined) return undefined;
  Served.mark(request, started);
  Served.mark(response, started);
  if (response.socket === null) followOn(request.socket, started);
  if (recorder.config.serverTiming) sendServerTiming(response, started);
  return started;
}

/** A request whose answer is written to the socket by the application. */
function startRaw(
  recorder: ServerRecorder,
  server: Server,
  event: string,
  request: IncomingMessage,
  socket: Duplex,
): InFlight | undefined {
  if (server.listenerCount(event) === 0) return undefined;
  const started = start(recorder, request, readRawEnd);
  if (started === undefined) return undefined;
  Served.mark(request, started);
  if (started.isRecorded) watchAnswer(socket, started);
  return started;
}

function start(
  recorder: ServerRecorder,
  request: IncomingMessage,
  read: (message: never, isSent: boolean) => ResponseEnd,
): InFlight | undefined {
  const { headers, method = 'GET', url = '/', httpVersion } = request;
  const socket = request.socket as unknown as PeerSocket | undefined;
  return recorder.start(
    {
      method,
      url,
      headers,
      authority: headers.host,
      scheme: socket?.encrypted === true ? 'https' : 'http',
      version: httpVersion,
      socket,
    },
    request,
    request,
    read,
  );
}

/**
 * Calls the handlers in the context of the request. What they throw is theirs to throw. `answer` is
 * the response or the stream.
 */
export function emitWithin(
  request: InFlight,
  original: Emit,
  thisArg: unknown,
  args: IArguments,
  answer?: object,
): boolean {
  const call = (): boolean => Reflect.apply(original, thisArg, args) as boolean;
  const emit = (): boolean =>
    watchUncaught(call, (error) => {
      recordError(request, error);
      // The process ends of it: this is the last moment at which the span can.
      if (process.listenerCount('uncaughtException') === 0) request.end(false, answer);
    });
  return request.context === undefined ? emit() : context.with(request.context, emit);
}

/**
 * Notes that `started` waits for the response that its connection is busy with. Where the connection
 * is lost, Node tells that one alone.
 */
function followOn(socket: NodeSocket | undefined, started: InFlight): void {
  const busy = socket?._httpMessage;
  if (typeof busy !== 'object' || busy === null) return;
  let last = Served.requestOf(busy);
  if (last === undefined) {
    last = new InFlight();
    Served.mark(busy, last);
  }
  while (last.following !== undefined) last = last.following;
  if (last !== started) last.following = started;
}

/** `close` without a `finish`: the response was not sent, nor those that wait behind it. */
function endUnsent(request: InFlight, response: ServerResponse): void {
  const { following } = request;
  request.end(false, response);
  for (let next = following; next !== undefined;) {
    const { following: after } = next;
    next.end(false, undefined);
    next = after;
  }
}

function readEnd(message: never, isSent: boolean): ResponseEnd {
  const response = message as NodeResponse;
  return {
    status: isSent || response.headersSent ? response.statusCode : undefined,
    size: isSent ? bodySize(response) : undefined,
    failure: isSent ? undefined : failureOf(response),
    header: (name) => response.getHeader(name) ?? sentHeader(response._header, name),
    response,
  };
}

/** Node's own note of the size; where it has none, what a header says. */
function bodySize(response: NodeResponse): number | undefined {
  if (response._hasBody === false) return undefined;
  const { _contentLength: size } = response;
  return typeof size === 'number' ? size : sizeOf(response.getHeader('content-length'));
}

/** Whether the client is gone, or the connection was given up here. */
function failureOf(response: ServerResponse): string {
  const { socket } = response.req as unknown as { socket?: NodeSocket };
  if (socket === undefined || socket.readableEnded) return ABORTED_BY_CLIENT;
  const code = socket.errored?.code;
  return code === 'ECONNRESET' || code === 'EPIPE' ? ABORTED_BY_CLIENT : DESTROYED;
}

/** A header of a head that was written at once, which `getHeader` does not know. */
function sentHeader(head: string | null | undefined, name: string): string[] | undefined {
  if (typeof head !== 'string') return undefined;
  const values = head
    .split('\r\n')
    .filter((line) => line.toLowerCase().startsWith(`${name}:`))
    .map((line) => line.slice(name.length + 1).trim());
  return values.length > 0 ? values : undefined;
}

/** What was written to a socket tells the status alone. */
function readRawEnd(message: never, isSent: boolean): ResponseEnd {
  const { status, failure } = message as { status: number | undefined; failure?: string };
  return {
    status,
    size: undefined,
    failure: isSent ? undefined : (failure ?? ABORTED_BY_CLIENT),
    header: () => undefined,
  };
}
