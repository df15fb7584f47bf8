import diagnosticsChannel from 'node:diagnostics_channel';
import type { Socket } from 'node:net';

import { reservePatch, patchMethod, undoAll, type Undo } from '../../../base/patch.ts';
import type { ClientCall } from './client-call.ts';
import type { HttpClientRecorder } from './client-recorder.ts';
import { guard } from '../guard.ts';
import type { OutgoingRequest } from './outgoing-request.ts';
import { injectTrace } from './request-headers.ts';
import { defaultPort, fullUrl, portOf, withoutBrackets } from './target.ts';
import {
  removeUndiciHeaders,
  responseHeader,
  setUndiciHeader,
  undiciHeader,
  type UndiciRequest,
} from './undici-headers.ts';

/*
 * Requests of undici and of `fetch`, from undici's own channels: Node's copy and every other one publish
 * on the same. `calls` is written when a request is made and loses an entry when it ends; a request that
 * nobody holds takes its entry along.
 */

interface RequestMessage {
  readonly request: UndiciRequest;
}

interface HeadersMessage extends RequestMessage {
  readonly response: { readonly statusCode: number; readonly headers: unknown };
}

interface SentMessage extends RequestMessage {
  readonly socket: (Socket & { alpnProtocol?: unknown }) | undefined;
}

/** Follows the requests of undici from now on. */
export function followUndiciRequests(recorder: HttpClientRecorder): Undo {
  const release = reservePatch(diagnosticsChannel.channel('undici:request:create'), 'http-client');
  // Another one of ours does.
  if (release === undefined) return () => undefined;
  const follower = new UndiciFollower(recorder);
  const listeners: Record<string, (message: never) => void> = {
    'undici:request:create': follower.begin,
    'undici:client:sendHeaders': follower.sent,
    'undici:request:headers': follower.responded,
    'undici:request:bodyChunkReceived': follower.progressed,
    'undici:request:trailers': follower.completed,
    'undici:request:error': follower.failed,
  };
  return undoAll([
    release,
    ...Object.entries(listeners).map(([name, listener]) => {
      const onMessage = (message: unknown): void => {
        guard('record a request', () => listener(message as never));
      };
      diagnosticsChannel.subscribe(name, onMessage);
      return () => void diagnosticsChannel.unsubscribe(name, onMessage);
    }),
    () => follower.stop(),
  ]);
}

interface SentCall {
  readonly call: ClientCall;
  /** `network.protocol.version`, once the request was sent. */
  version: string | undefined;
}

class UndiciFollower {
  readonly #recorder: HttpClientRecorder;
  readonly #calls = new WeakMap<UndiciRequest, SentCall>();
  /** The request that was made last, and what was put on it: another tool may record it as well. */
  #latest: { request: UndiciRequest; call: ClientCall | undefined; names: Set<string> } | undefined;
  /** The classes of requests whose upgrades are followed. */
  readonly #classes = new Map<object, Undo | undefined>();

  constructor(recorder: HttpClientRecorder) {
    this.#recorder = recorder;
    recorder.onAside = () => this.#leaveLatest();
  }

  readonly begin = ({ request }: RequestMessage): void => {
    this.#latest = undefined;
    if (!this.#recorder.isListening) return;
    const started = this.#recorder.start(describe(request));
    if (started === undefined) return;
    const { context, call } = started;
    const names = new Set<string>();
    injectTrace(context, (name, value) => {
      names.add(name.toLowerCase());
      setUndiciHeader(request, name, value);
    });
    this.#latest = { request, call, names };
    if (call === undefined) return;
    this.#calls.set(request, { call, version: undefined });
    if (request.upgrade) this.#followUpgrades(Object.getPrototypeOf(request) as object);
  };

  readonly sent = ({ request, socket }: SentMessage): void => {
    this.#latest = undefined;
    const sent = this.#calls.get(request);
    if (sent === undefined) return;
    sent.version = socket?.alpnProtocol === 'h2' ? '2' : '1.1';
    sent.call.connectedTo(socket?.remoteAddress, socket?.remotePort);
  };

  readonly responded = ({ request, response }: HeadersMessage): void => {
    this.#latest = undefined;
    const { statusCode, headers } = response;
    const sent = this.#calls.get(request);
    sent?.call.responded(statusCode, sent.version, (name) => responseHeader(headers, name));
  };

  readonly progressed = ({ request }: RequestMessage): void => {
    this.#calls.get(request)?.call.progressed();
  };

  readonly completed = ({ request }: RequestMessage): void => {
    this.#end(request);
  };

  readonly failed = ({ request, error }: RequestMessage & { error: unknown }): void => {
    this.#end(request, error ?? new Error('unknown'));
  };

  stop(): void {
    for (const undo of this.#classes.values()) undo?.();
    this.#classes.clear();
    this.#latest = undefined;
  }

  #end(request: UndiciRequest, error?: unknown): void {
    this.#latest = undefined;
    this.#calls.get(request)?.call.end(error);
    this.#calls.delete(request);
  }

  #leaveLatest(): void {
    if (this.#latest === undefined) return;
    const { request, call, names } = this.#latest;
    this.#latest = undefined;
    call?.discard();
    this.#calls.delete(request);
    removeUndiciHeaders(request, names);
  }

  /** Undici before 7 says nothing on its channels of a connection that was upgraded. */
  #followUpgrades(prototype: object): void {
    if (this.#classes.has(prototype)) return;
    const end = (request: UndiciRequest, status: unknown): void => {
      const call = this.#calls.get(request)?.call;
      if (typeof status === 'number') call?.responded(status, '1.1', () => undefined);
      this.#end(request);
    };
    const table = prototype as Record<string, (this: UndiciRequest, ...args: unknown[]) => unknown>;
    const undos = ['onUpgrade', 'onRequestUpgrade'].map((method) =>
      patchMethod(table, method, (original) => {
        return function (this: UndiciRequest, ...args: unknown[]): unknown {
          guard('end a span', () => end(this, args[0]));
          return original.apply(this, args);
        };
      }),
    );
    this.#classes.set(prototype, undoAll(undos));
  }
}

function describe(request: UndiciRequest): OutgoingRequest {
  const { method, path, origin } = request;
  const text = String(origin ?? '');
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const scheme = url?.protocol === 'https:' ? 'https' : 'http';
  const host = url && withoutBrackets(url.hostname);
  const port = url && (portOf(url.port) ?? defaultPort(scheme));
  return {
    api: 'undici',
    method,
    scheme,
    host,
    port,
    path,
    url: method === 'CONNECT' ? `//${path}` : fullUrl({ scheme, host, port }, path),
    header: (name) => undiciHeader(request, name),
    native: request,
  };
}
