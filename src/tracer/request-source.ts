import { executionAsyncResource } from 'node:async_hooks';
import diagnosticsChannel from 'node:diagnostics_channel';
import { performance } from 'node:perf_hooks';

import { onUncaught } from '../async/uncaught-error.ts';
import { unroutedName } from '../base/request-name.ts';
import { currentOwner, enterOwner, ResourceOwner } from './owner.ts';

/** The data of a request that is known when it begins. */
export interface RequestHead {
  readonly method?: string;
  readonly url?: string;
  /** Node creates this object on first access, so it is not read without need. */
  readonly headers: Readonly<Record<string, unknown>>;
}

/** Receives the requests that a source observes. */
export interface RequestSink {
  /** A request began in the callback that is running. */
  begin(owner: ResourceOwner, head: RequestHead): void;
  /** `endedProcess`: the process ends in this request, by an exception or by `process.exit()`. */
  end(owner: ResourceOwner, endedProcess?: boolean): void;
}

/**
 * Observes when requests begin and end. `start` returns a function that stops it. A source makes
 * the owner current (`enterOwner`) before it calls the sink.
 */
export interface RequestSource {
  start(sink: RequestSink): () => void;
}

interface ServerMessage {
  request: RequestHead;
  response: object & {
    closed?: boolean;
    destroyed?: boolean;
    headersSent?: boolean;
    statusCode?: number;
  };
}

const START = 'http.server.request.start';
const FINISH = 'http.server.response.finish';
/** Requests without a response are forgotten once there are this many in flight. */
const MAX_IN_FLIGHT = 20_000;

/** A request with the data needed to find it again; removed when it ends. */
class RequestInFlight extends ResourceOwner {
  response: ServerMessage['response'] | undefined;
  /** Its index in the table. */
  place: number;

  constructor(head: RequestHead, response: ServerMessage['response'], place: number) {
    const { method = 'HTTP', url = '/' } = head;
    super(() => unroutedName(method, url), performance.now());
    this.response = response;
    this.place = place;
  }
}

/**
 * The requests of `node:http` servers, from Node's own diagnostics channels.
 *
 * `inFlight` holds a request from its start to the end of its response. A response that is
 * destroyed publishes nothing on a channel, so `sweep` looks for those, and `endAtExit` ends those
 * that have to do with the end of the process. No object of the application is patched or listened
 * to.
 *
 * The table is one array that is never replaced, with its first `count` places in use. A `Map`
 * discards its table every few requests, and a discarded table in the old generation keeps all its
 * entries from being collected with the young generation: that cost a server a quarter of its time
 * and four times its heap.
 */
export class HttpRequests implements RequestSource {
  readonly #inFlight: (RequestInFlight | undefined)[] = [];
  #count = 0;
  readonly #ownersOfParsers = new WeakMap<object, ResourceOwner>();
  readonly #sinks = new Set<RequestSink>();
  /** The last request in which an exception was thrown that nothing caught. */
  #uncaught: RequestInFlight | undefined;
  #stopUncaught: (() => void) | undefined;

  get size(): number {
    return this.#count;
  }

  start(sink: RequestSink): () => void {
    if (this.#sinks.size === 0) {
      diagnosticsChannel.subscribe(START, this.#begin);
      diagnosticsChannel.subscribe(FINISH, this.#finish);
      this.#stopUncaught = onUncaught(this.#noteUncaught);
    }
    this.#sinks.add(sink);
    return () => {
      if (!this.#sinks.delete(sink) || this.#sinks.size > 0) return;
      diagnosticsChannel.unsubscribe(START, this.#begin);
      diagnosticsChannel.unsubscribe(FINISH, this.#finish);
      this.#stopUncaught?.();
      while (this.#count > 0) this.#forget(this.#inFlight[this.#count - 1]);
    };
  }

  /**
   * The owner of a parser's callbacks: the pieces of a body come in callbacks of the parser, which
   * was created before its request was known.
   */
  ownerOfParser(resource: object): ResourceOwner | undefined {
    const owner = this.#ownersOfParsers.get(resource);
    return owner && !owner.ended ? owner : undefined;
  }

  /** Ends the requests whose response was destroyed. */
  sweep(): void {
    for (let i = this.#count - 1; i >= 0; i--) {
      const owner = this.#inFlight[i];
      const { closed, destroyed } = owner?.response ?? {};
      if (owner && (closed === true || destroyed === true)) this.#end(owner);
    }
  }

  /**
   * Ends, when the process exits, the request that runs, since the process ends in it, and the one with
   * the last uncaught exception, which a handler may have outlived for a while.
   */
  endAtExit(): void {
    const running = currentOwner();
    if (running instanceof RequestInFlight) this.#endOpen(running, true);
    if (this.#uncaught) this.#endOpen(this.#uncaught, false);
  }

  readonly #noteUncaught = (): void => {
    const running = currentOwner();
    if (!(running instanceof RequestInFlight) || running.ended) return;
    this.#uncaught = running;
  };

  #endOpen(owner: RequestInFlight, endedProcess: boolean): void {
    const { response } = owner;
    if (!response) return;
    if (response.headersSent === true) owner.statusCode = response.statusCode;
    if (owner === this.#uncaught) owner.failed = true;
    this.#end(owner, endedProcess);
  }

  readonly #begin = (message: unknown): void => {
    const { request, response } = message as ServerMessage;
    const owner = new RequestInFlight(request, response, this.#count);
    enterOwner(owner);
    // Only a body makes the parser call back again under the same request.
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      this.#ownersOfParsers.set(executionAsyncResource(), owner);
    }
    if (this.#count >= MAX_IN_FLIGHT) this.sweep();
    if (this.#count < MAX_IN_FLIGHT) {
      owner.place = this.#count;
      this.#inFlight[this.#count++] = owner;
    } else owner.response = undefined;
    for (const sink of this.#sinks) sink.begin(owner, request);
  };

  readonly #finish = (message: unknown): void => {
    const { response } = message as ServerMessage;
    const owner = this.#ownerOf(response);
    if (!owner) return;
    owner.statusCode = response.statusCode;
    this.#end(owner);
  };

  /** A response is nearly always finished in its own context; otherwise it is searched for. */
  #ownerOf(response: ServerMessage['response']): RequestInFlight | undefined {
    const running = currentOwner();
    if (running instanceof RequestInFlight && running.response === response) return running;
    for (let i = 0; i < this.#count; i++) {
      if (this.#inFlight[i]?.response === response) return this.#inFlight[i];
    }
    return undefined;
  }

  #end(owner: RequestInFlight, endedProcess = false): void {
    this.#forget(owner);
    if (owner.ended) return;
    owner.endedAt = performance.now();
    for (const sink of this.#sinks) sink.end(owner, endedProcess);
  }

  /** Move the last one to its place. */
  #forget(owner: RequestInFlight | undefined): void {
    if (!owner?.response) return;
    owner.response = undefined;
    if (this.#uncaught === owner) this.#uncaught = undefined;
    const last = this.#inFlight[--this.#count];
    this.#inFlight[this.#count] = undefined;
    if (!last || last === owner) return;
    this.#inFlight[owner.place] = last;
    last.place = owner.place;
  }
}

/** The requests of this process, observed once however many tracers there are. */
export const httpRequests: HttpRequests = new HttpRequests();
