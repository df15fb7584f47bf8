import { executionAsyncResource } from 'node:async_hooks';
import diagnosticsChannel from 'node:diagnostics_channel';
import { performance } from 'node:perf_hooks';

import { enterOwner, WorkOwner } from './owner.ts';

/** What is known of a request when it begins. */
export interface RequestHead {
  readonly method?: string;
  readonly url?: string;
  /** Node makes this object when it is first asked for: better not ask without need. */
  readonly headers: Readonly<Record<string, unknown>>;
}

/** What a source tells of the requests it sees. */
export interface RequestSink {
  /** A request began in the callback that is running. */
  begin(owner: WorkOwner, head: RequestHead): void;
  end(owner: WorkOwner): void;
}

/**
 * Something that knows when a request begins and ends. `start` returns its own undo. A source makes
 * the owner current (`enterOwner`) before it tells the sink.
 */
export interface RequestSource {
  start(sink: RequestSink): () => void;
}

interface ServerMessage {
  request: RequestHead;
  response: object & { closed?: boolean; destroyed?: boolean };
}

const START = 'http.server.request.start';
const FINISH = 'http.server.response.finish';
/** Requests that were not answered are given up once there are this many in flight. */
const MAX_IN_FLIGHT = 20_000;

/**
 * The requests of `node:http` servers, from Node's own diagnostics channels.
 *
 * `inFlight` holds a request from its start to the end of its response. A response that is torn
 * down says nothing on a channel, so `sweep` looks for those; nothing of the application is patched
 * or listened to.
 */
export class HttpRequests implements RequestSource {
  readonly #inFlight = new Map<ServerMessage['response'], WorkOwner>();
  readonly #ownersOfParsers = new WeakMap<object, WorkOwner>();
  readonly #sinks = new Set<RequestSink>();

  get size(): number {
    return this.#inFlight.size;
  }

  start(sink: RequestSink): () => void {
    if (this.#sinks.size === 0) {
      diagnosticsChannel.subscribe(START, this.#begin);
      diagnosticsChannel.subscribe(FINISH, this.#finish);
    }
    this.#sinks.add(sink);
    return () => {
      if (!this.#sinks.delete(sink) || this.#sinks.size > 0) return;
      diagnosticsChannel.unsubscribe(START, this.#begin);
      diagnosticsChannel.unsubscribe(FINISH, this.#finish);
      this.#inFlight.clear();
    };
  }

  /**
   * The owner of a parser's callbacks: the pieces of a body come in callbacks of the parser, which
   * was created before its request was known.
   */
  ownerOfParser(resource: object): WorkOwner | undefined {
    const owner = this.#ownersOfParsers.get(resource);
    return owner && !owner.ended ? owner : undefined;
  }

  /** Ends the requests whose response was torn down. */
  sweep(): void {
    for (const [response, owner] of this.#inFlight) {
      if (response.closed === true || response.destroyed === true) this.#end(response, owner);
    }
  }

  readonly #begin = (message: unknown): void => {
    const { request, response } = message as ServerMessage;
    const { method = 'HTTP', url = '/' } = request;
    const owner = new WorkOwner(() => `${method} ${templateOf(url)}`, performance.now());
    enterOwner(owner);
    // Only a body makes the parser call back again under the same request.
    if (method !== 'GET' && method !== 'HEAD') {
      this.#ownersOfParsers.set(executionAsyncResource(), owner);
    }
    if (this.#inFlight.size >= MAX_IN_FLIGHT) this.sweep();
    if (this.#inFlight.size < MAX_IN_FLIGHT) this.#inFlight.set(response, owner);
    for (const sink of this.#sinks) sink.begin(owner, request);
  };

  readonly #finish = (message: unknown): void => {
    const { response } = message as ServerMessage;
    const owner = this.#inFlight.get(response);
    if (owner) this.#end(response, owner);
  };

  #end(response: ServerMessage['response'], owner: WorkOwner): void {
    this.#inFlight.delete(response);
    if (owner.ended) return;
    owner.endedAt = performance.now();
    for (const sink of this.#sinks) sink.end(owner);
  }
}

/** The requests of this process, known once however many tracers ask. */
export const httpRequests: HttpRequests = new HttpRequests();

/** The path without its query, each segment that looks like a value replaced by `{n}`. */
export function templateOf(url: string): string {
  const path = url.replace(/^[a-z]+:\/\/[^/]*/i, '').split(/[?#]/, 1)[0] ?? '/';
  return path
    .split('/')
    .slice(0, 12)
    .map((segment) => (isValue(segment) ? '{n}' : segment))
    .join('/')
    .slice(0, 120);
}

function isValue(segment: string): boolean {
  return /\d/.test(segment)
    ? !/^v\d{1,2}$/.test(segment)
    : segment.length > 24 || /[%@=:;,~]/.test(segment);
}
