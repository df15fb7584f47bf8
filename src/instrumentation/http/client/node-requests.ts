import diagnosticsChannel from 'node:diagnostics_channel';
import type { ClientRequest, IncomingMessage } from 'node:http';
import { syncBuiltinESMExports } from 'node:module';

import { context } from '@opentelemetry/api';

import { http, loadHttps } from '../../../base/node-http.ts';
import { reservePatch, patchMethod, undoAll, type Undo } from '../../../base/patch.ts';
import { isSuppressed } from '../../../carry/suppression.ts';
import { hasReplaced } from '../official.ts';
import type { ClientCall } from './client-call.ts';
import type { HttpClientRecorder } from './client-recorder.ts';
import { keepCallersContext } from './caller-context.ts';
import { guard } from '../guard.ts';
import { releaseIdleSockets } from './idle-sockets.ts';
import type { OutgoingRequest } from './outgoing-request.ts';
import { injectTrace, setRequestHeader } from './request-headers.ts';
import { CREATED_CHANNEL, publishesCreated } from './request-channels.ts';
import { SentRequest, type Sent } from './sent-request.ts';
import { defaultPort, fullUrl, portOf, splitAuthority, withoutBrackets } from './target.ts';

/*
 * Requests of `node:http` and `node:https`: where they begin Node says on a channel, on Nodes that have
 * it; elsewhere the functions that make them are replaced. How they go on is seen in what Node emits.
 */

const REQUEST_EVENTS = new Set(
  (
    'abort close connect continue drain error finish information response socket timeout upgrade ' +
    'pipe unpipe'
  ).split(' '),
);
const RESPONSE_EVENTS = new Set(
  'aborted close data end error pause readable resume timeout'.split(' '),
);
const OBSERVED = new Set(['response', 'upgrade', 'connect', 'error', 'close']);
const NONE: ReadonlySet<string> = new Set();

/** Follows the requests of `node:http` from now on; `onOfficial` hears that another tool records them. */
export function followNodeRequests(recorder: HttpClientRecorder, onOfficial: () => void): Undo {
  const release = reservePatch(http.ClientRequest.prototype, 'http-client');
  if (release === undefined) return () => undefined;
  const begin = (request: ClientRequest): void => {
    guard('record a request', () => {
      if (SentRequest.of(request) !== undefined) return;
      if (recorder.isListening && isOfficial(request)) onOfficial();
      beginRequest(recorder, request);
    });
  };
  return undoAll([
    release,
    keepCallersContext(http.ClientRequest.prototype, REQUEST_EVENTS, OBSERVED, observe),
    keepCallersContext(http.IncomingMessage.prototype, RESPONSE_EVENTS, NONE, () => undefined),
    patchMethod(http.IncomingMessage.prototype, '_destroy', (original) => {
      return function (this: IncomingMessage, error, callback) {
        SentRequest.of(this)?.call?.end(error ?? undefined);
        original.call(this, error, callback);
      };
    }),
    releaseIdleSockets(http.Agent.prototype),
    publishesCreated() ? listenToCreated(begin) : replaceFunctions(begin),
    patchHeaders(begin),
  ]);
}

function listenToCreated(begin: (request: ClientRequest) => void): Undo {
  const onMessage = (message: unknown): void =>
    begin((message as { request: ClientRequest }).request);
  diagnosticsChannel.subscribe(CREATED_CHANNEL, onMessage);
  return () => void diagnosticsChannel.unsubscribe(CREATED_CHANNEL, onMessage);
}

/** For Nodes that do not say when a request was made. */
function replaceFunctions(begin: (request: ClientRequest) => void): Undo {
  const undos = [http, loadHttps()].flatMap((module) => {
    let plain: typeof module.request = module.request;
    const undoRequest = patchMethod(module, 'request', (original) => {
      plain = original as typeof module.request;
      return function request(this: unknown, ...args: Parameters<typeof original>) {
        const made = original.apply(module, args);
        begin(made);
        return made;
      };
    });
    // Node's own calls `request` and ends it, at once and inside.
    const undoGet = patchMethod(module, 'get', () => {
      return function get(this: unknown, ...args: Parameters<typeof plain>) {
        const made = plain.apply(module, args);
        begin(made);
        made.end();
        return made;
      };
    });
    return [undoRequest, undoGet];
  });
  syncBuiltinESMExports();
  return undoAll([syncBuiltinESMExports, ...undos]);
}

/**
 * Adds the trace headers as late as headers are made: a library that follows a redirect may copy those
 * of the request before. Where a constructor made a request, on Nodes that do not say so, it begins here.
 */
function patchHeaders(begin: (request: ClientRequest) => void): Undo | undefined {
  const table = http.ClientRequest.prototype as unknown as { _implicitHeader(): void };
  return patchMethod(table, '_implicitHeader', (original) => {
    return function (this: { _implicitHeader(): void }) {
      const request = this as unknown as ClientRequest;
      begin(request);
      addTrace(request);
      original.call(this);
    };
  });
}

function addTrace(request: ClientRequest): void {
  const sent = SentRequest.of(request);
  if (sent?.trace === undefined) return;
  const { trace } = sent;
  sent.trace = undefined;
  injectTrace(trace, (name, value) => setRequestHeader(request, name, value));
}

/** OpenTelemetry's own replaces the functions that make requests. */
function isOfficial({ protocol }: ClientRequest): boolean {
  const { request } = protocol === 'https:' ? loadHttps() : http;
  return hasReplaced(request, 'outgoingRequest');
}

function beginRequest(recorder: HttpClientRecorder, request: ClientRequest): void {
  const active = context.active();
  const isSeen = recorder.isListening && !isSuppressed(active);
  const started = isSeen ? recorder.start(describe(request)) : undefined;
  started?.call?.shows(request);
  SentRequest.note(request, { context: active, call: started?.call, trace: started?.context });
  // Headers in a list, and with `Expect`, are made already.
  if (request.headersSent) addTrace(request);
}

/** What requests have and their type does not. */
interface Unlisted {
  socketPath?: string;
  agent?: { options?: { port?: unknown } };
  res?: IncomingMessage | null;
}

function describe(request: ClientRequest): OutgoingRequest {
  const scheme = request.protocol === 'https:' ? 'https' : 'http';
  const { method, path, socketPath, agent } = request as ClientRequest & Unlisted;
  const host = withoutBrackets(request.host);
  const named = request.getHeader('host');
  const authority = typeof named === 'string' ? splitAuthority(named) : undefined;
  // A `Host` of the application's own may name another port than the one that is connected to.
  const port =
    authority?.host === host
      ? (authority.port ?? defaultPort(scheme))
      : portOf(agent?.options?.port);
  const header = (name: string): string | string[] | undefined => {
    const value = request.getHeader(name);
    return typeof value === 'number' ? String(value) : value;
  };
  const url = method === 'CONNECT' ? `//${path}` : fullUrl({ scheme, host, port }, path);
  return {
    api: 'http',
    method,
    scheme,
    host: socketPath ?? host,
    port: socketPath === undefined ? port : undefined,
    path,
    url,
    header,
    native: request,
  };
}

function observe(sent: Sent, object: object, event: string, args: readonly unknown[]): void {
  const request = object as ClientRequest;
  const { call } = sent;
  switch (event) {
    case 'response':
    case 'upgrade':
    case 'connect': {
      const response = args[0] as IncomingMessage;
      SentRequest.note(response, sent);
      if (call === undefined) break;
      const { socket } = request;
      call.connectedTo(socket?.remoteAddress, socket?.remotePort);
      const header = (name: string) => response.headers[name];
      const isUnread = (): boolean =>
        !response.readableDidRead && response.readableFlowing !== true;
      call.responded(response.statusCode ?? 0, response.httpVersion, header, isUnread);
      // The connection belongs to the application from here on.
      if (event !== 'response') call.end();
      break;
    }
    case 'error':
      call?.end(args[0]);
      break;
    default:
      endAtClose(request, call);
  }
}

/** A request is closed as its response ends, or without one; the body of one may still be buffered. */
function endAtClose(request: ClientRequest, call: ClientCall | undefined): void {
  const { res } = request as Unlisted;
  if (res === undefined || res === null || res.readableEnded || res.destroyed) call?.end();
}
