import type {
  ClientHttp2Session,
  ClientHttp2Stream,
  IncomingHttpHeaders,
  OutgoingHttpHeaders,
} from 'node:http2';
import { createRequire, syncBuiltinESMExports } from 'node:module';

import { context } from '@opentelemetry/api';

import { isLoaded } from '../../../base/node-http.ts';
import { onModule } from '../../module-hooks.ts';
import { patchMethod, patchOnce, undoAll, type Undo } from '../../../base/patch.ts';
import { isSuppressed } from '../../../carry/suppression.ts';
import type { HttpClientRecorder } from './client-recorder.ts';
import { keepCallersContext } from './caller-context.ts';
import { guard } from '../guard.ts';
import { statusOfCall } from '../grpc.ts';
import type { OutgoingRequest } from './outgoing-request.ts';
import { injectTrace } from './request-headers.ts';
import { SentRequest, type Sent } from './sent-request.ts';
import {
  defaultPort,
  fullUrl,
  portOf,
  splitAuthority,
  withoutBrackets,
  type Target,
} from './target.ts';

/*
 * Requests of `node:http2`. The channels of newer Nodes tell of a stream when its headers are made, too
 * late to add one, so `request` is replaced: of the class of sessions, which is found on the first one
 * that `connect` returns. `targets` knows where each session goes.
 */

type Headers = OutgoingHttpHeaders | readonly string[];
type Connect = (this: unknown, ...args: unknown[]) => ClientHttp2Session;
type Request = (this: ClientHttp2Session, ...args: unknown[]) => ClientHttp2Stream;

const STREAM_EVENTS = new Set(
  (
    'aborted close continue data drain end error finish frameError headers pause push readable ready ' +
    'response resume timeout trailers wantTrailers'
  ).split(' '),
);
const OBSERVED = new Set(['response', 'trailers', 'end', 'error', 'close']);

const targets = new WeakMap<ClientHttp2Session, Target>();

/** Follows the requests of sessions that are made from now on, once `node:http2` is loaded. */
export function followHttp2(recorder: HttpClientRecorder): Undo {
  // Loading it takes a while: not before the application does.
  if (isLoaded('http2')) return followSessions(undefined, recorder);
  return onModule({
    module: 'http2',
    versions: '>=20 <100',
    patch: (exports) => followSessions(exports as object, recorder),
  });
}

/** Patches `connect`; `namespace` is what an importer gets, where that is a copy of the exports. */
function followSessions(namespace: object | undefined, recorder: HttpClientRecorder): Undo {
  const table = createRequire(import.meta.url)('node:http2') as Record<string, Connect>;
  const undos: (Undo | undefined)[] = [];
  const followed = new WeakSet<object>();
  const follow = (session: ClientHttp2Session, args: readonly unknown[]): void => {
    targets.set(session, targetOf(args[0], args[1]));
    const prototype = Object.getPrototypeOf(session) as object;
    if (followed.has(prototype)) return;
    followed.add(prototype);
    undos.push(followRequests(prototype, recorder, undos));
  };
  const plain = table['connect'];
  undos.push(
    syncBuiltinESMExports,
    patchOnce(table, 'connect', 'http-client', (original) => {
      return function connect(this: unknown, ...args: unknown[]) {
        const session = original.apply(this, args);
        guard('follow a session', () => follow(session, args));
        return session;
      };
    }),
  );
  syncBuiltinESMExports();
  const copy = namespace as Partial<typeof table> | undefined;
  if (copy !== undefined && copy['connect'] === plain) {
    guard('follow sessions', () => Object.assign(copy, { connect: table['connect'] }));
    undos.push(() => void guard('leave sessions', () => Object.assign(copy, { connect: plain })));
  }
  return () => undoAll(undos.splice(0))();
}

function followRequests(
  prototype: object,
  recorder: HttpClientRecorder,
  undos: (Undo | undefined)[],
): Undo | undefined {
  const table = prototype as Record<string, Request>;
  let streams: object | undefined;
  return patchMethod(table, 'request', (original) => {
    return function request(this: ClientHttp2Session, ...args: unknown[]): ClientHttp2Stream {
      const active = context.active();
      if (isSuppressed(active)) return original.apply(this, args);
      const headers = (args[0] ?? {}) as Headers;
      const started =
        recorder.isListening && typeof headers === 'object'
          ? guard('record a request', () => recorder.start(describe(this, headers)))
          : undefined;
      if (started !== undefined) args[0] = withTrace(headers, started.context);
      let stream: ClientHttp2Stream;
      try {
        stream = original.apply(this, args);
      } catch (error) {
        started?.call?.end(error);
        throw error;
      }
      guard('follow a stream', () => {
        SentRequest.note(stream, { context: active, call: started?.call });
        const parent = Object.getPrototypeOf(stream) as object;
        if (streams === parent) return;
        streams = parent;
        undos.push(keepCallersContext(parent, STREAM_EVENTS, OBSERVED, observe));
      });
      return stream;
    };
  });
}

function observe({ call }: Sent, object: object, event: string, args: readonly unknown[]): void {
  switch (event) {
    case 'response': {
      const headers = args[0] as IncomingHttpHeaders & { ':status'?: number };
      const stream = object as ClientHttp2Stream;
      const isUnread = (): boolean => !stream.readableDidRead && stream.readableFlowing !== true;
      call?.responded(Number(headers[':status']), '2', (name) => headers[name], isUnread);
      call?.answered(statusOfCall(headers['grpc-status']));
      break;
    }
    case 'trailers':
      call?.answered(statusOfCall((args[0] as IncomingHttpHeaders)['grpc-status']));
      break;
    case 'error':
      call?.end(args[0]);
      break;
    default:
      call?.end();
  }
}

/** A copy of `headers` with the trace headers, each once. */
function withTrace(headers: Headers, traced: Parameters<typeof injectTrace>[0]): Headers {
  const added: [string, string][] = [];
  injectTrace(traced, (name, value) => added.push([name, value]));
  if (added.length === 0) return headers;
  if (Array.isArray(headers)) {
    const names = new Set(added.map(([name]) => name.toLowerCase()));
    const list = headers as readonly string[];
    const others = list.filter(
      (_, index) => !names.has(String(list[index - (index % 2)]).toLowerCase()),
    );
    // A list carries the names of its sensitive headers, too, as a property of its own.
    const extras = Object.getOwnPropertySymbols(list).map((key) => [key, Reflect.get(list, key)]);
    return Object.assign([...others, ...added.flat()], Object.fromEntries(extras));
  }
  const copy: OutgoingHttpHeaders = { ...(headers as OutgoingHttpHeaders) };
  for (const [name, value] of added) {
    for (const key of Object.keys(copy))
      if (key.toLowerCase() === name.toLowerCase()) delete copy[key];
    copy[name] = value;
  }
  return copy;
}

function describe(session: ClientHttp2Session, headers: Headers): OutgoingRequest {
  const header = (name: string): string | string[] | undefined => headerOf(headers, name);
  const target = targets.get(session);
  const given = header(':scheme') ?? target?.scheme;
  const scheme = given === 'http' ? 'http' : 'https';
  const authority = header(':authority') ?? header('host');
  const named = typeof authority === 'string' ? splitAuthority(authority) : undefined;
  const host = named?.host ?? target?.host;
  const port = named?.host === undefined ? target?.port : (named.port ?? defaultPort(scheme));
  const method = String(header(':method') ?? 'GET');
  const path = String(header(':path') ?? '/');
  const url =
    method === 'CONNECT' ? `//${String(authority)}` : fullUrl({ scheme, host, port }, path);
  return { api: 'http2', method, scheme, host, port, path, url, header, native: headers };
}

function headerOf(headers: Headers, name: string): string | string[] | undefined {
  if (Array.isArray(headers)) {
    const list = headers as readonly string[];
    const at = list.findIndex((key, index) => index % 2 === 0 && key.toLowerCase() === name);
    return at === -1 ? undefined : list[at + 1];
  }
  const table = headers as OutgoingHttpHeaders;
  const key = Object.hasOwn(table, name)
    ? name
    : Object.keys(table).find((each) => each.toLowerCase() === name);
  const value = key === undefined ? undefined : table[key];
  return typeof value === 'number' ? String(value) : value;
}

/** Where `connect` goes, as Node reads its arguments. */
function targetOf(authority: unknown, options: unknown): Target {
  const { protocol: fallback } = (options ?? {}) as { protocol?: string };
  const url = (
    typeof authority === 'string' ? new URL(authority) : (authority ?? {})
  ) as Partial<URL>;
  const scheme = (url.protocol || fallback || 'https:') === 'http:' ? 'http' : 'https';
  const host = withoutBrackets(url.hostname || url.host || 'localhost');
  return { scheme, host, port: portOf(url.port) ?? defaultPort(scheme) };
}
