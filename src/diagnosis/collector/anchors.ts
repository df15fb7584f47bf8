import { executionAsyncId } from 'node:async_hooks';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { EventEmitter } from 'node:events';

import { http } from '../../base/node-http.ts';
import { unroutedName } from '../../base/request-name.ts';
import { patchHotMethod, type Undo } from '../../base/patch.ts';
import { onHttp2Requests } from './http2-requests.ts';
import { Request, Turn, turns, type Handle } from './work.ts';

const START = 'http.server.request.start';
const FINISH = 'http.server.response.finish';
const METHODS = ['writeHead', 'setHeader', 'write', 'end'];
const STREAM_METHODS = ['respond', 'respondWithFile', 'respondWithFD', 'write', 'end'];
const MAX_IN_FLIGHT = 10_000;

interface Response {
  readonly closed?: boolean;
  readonly destroyed?: boolean;
}

interface Message {
  request: { method?: string | undefined; url?: string | undefined };
  response: Response;
}

export interface AnchorOptions {
  /**
   * If no tracer does it, the events of a request run in its turn, in the same way on every Node.
   */
  bindsMessages: boolean;
  begun(request: Request): void;
  /** Called when its response is complete. */
  finished(request: Request): void;
  /** Called when an anchor was touched, by `what`; `below` is the function in between. */
  touched(request: Request, what: string, below: (...args: never[]) => unknown): void;
}

/** The async resource of an incoming message, which belongs to its request. */
function messageHandle(type: string, bornIn: Request): Handle {
  const asyncId = executionAsyncId();
  const rest = { isInterval: false, generation: 0, captured: undefined, bornDuring: undefined };
  return { asyncId, type, bornIn, ...rest };
}

/**
 * Observes the requests of `node:http` and `node:http2`, with their responses as anchors: each
 * always belongs to one request, so the context under which it is touched is certainly right or
 * wrong. `own` assigns other objects to a request.
 */
export class Anchors {
  readonly #options: AnchorOptions;
  readonly #requests = new WeakMap<object, Request>();
  readonly #turns = new WeakMap<object, Turn>();
  readonly #inFlight = new Map<Request, WeakRef<Response>>();
  readonly #undos: (Undo | undefined)[] = [];
  /** The class of HTTP/2 streams, once it is patched. */
  #streams: object | undefined;
  count = 0;

  constructor(options: AnchorOptions) {
    this.#options = options;
  }

  start(): void {
    subscribe(START, this.#onStart);
    subscribe(FINISH, this.#onFinish);
    this.#patchClasses(http.ServerResponse, http.IncomingMessage);
    const stop = onHttp2Requests({
      loaded: ({ Http2ServerResponse, Http2ServerRequest }) =>
        this.#patchClasses(Http2ServerResponse, Http2ServerRequest),
      request: (request, response) => {
        this.#begin('HTTP2STREAM', request, response);
        response.stream.once('close', () => this.#end(response));
      },
      stream: (stream, { ':method': method, ':path': url }) => {
        this.#patchStreams(Object.getPrototypeOf(stream) as EventEmitter);
        this.#begin('HTTP2STREAM', { method, url }, stream, stream);
        stream.once('close', () => this.#end(stream));
      },
    });
    this.#undos.push(stop);
  }

  #patchClasses(response: { prototype: object }, message: { prototype: EventEmitter }): void {
    const undos = METHODS.map((method) => this.#patch(response.prototype, 'res', method));
    this.#undos.push(...undos, this.#bind(message.prototype));
  }

  /** Their class is not exported, so it is patched when the first one appears. */
  #patchStreams(prototype: EventEmitter): void {
    if (this.#streams === prototype) return;
    this.#streams = prototype;
    const undos = STREAM_METHODS.map((method) => this.#patch(prototype, 'stream', method));
    this.#undos.push(...undos, this.#bind(prototype));
  }

  #bind(prototype: EventEmitter): Undo | undefined {
    return this.#options.bindsMessages ? bindMessages(prototype, this.#turns) : undefined;
  }

  stop(): void {
    unsubscribe(START, this.#onStart);
    unsubscribe(FINISH, this.#onFinish);
    for (const undo of this.#undos.splice(0).toReversed()) undo?.();
    this.#streams = undefined;
    this.#inFlight.clear();
  }

  /** Requests without a complete response. */
  get inFlight(): number {
    for (const [request, response] of this.#inFlight) {
      const alive = response.deref();
      if (!alive || alive.closed || alive.destroyed) this.#inFlight.delete(request);
    }
    return this.#inFlight.size;
  }

  /** Assigns `object` to the current request. */
  own(object: object): void {
    const request = turns.getStore()?.request;
    if (request) this.#requests.set(object, request);
  }

  /** Records that `object` is touched. */
  touch(object: object, what: string, below: (...args: never[]) => unknown): void {
    const request = this.#requests.get(object);
    if (request) this.#options.touched(request, what, below);
  }

  readonly #onStart = (message: unknown): void => {
    const { request, response } = message as Message;
    this.#begin('HTTPINCOMINGMESSAGE', request, response);
  };

  /** `emitter` emits the events of the request. */
  #begin(
    type: string,
    request: Message['request'],
    response: Response,
    emitter: object = request,
  ): void {
    const { method = 'HTTP', url = '/' } = request;
    const begun = new Request(() => unroutedName(method, url));
    this.count++;
    this.#requests.set(response, begun);
    if (this.#inFlight.size < MAX_IN_FLIGHT || this.inFlight < MAX_IN_FLIGHT) {
      this.#inFlight.set(begun, new WeakRef(response));
    }
    const turn = new Turn(messageHandle(type, begun), begun);
    this.#turns.set(emitter, turn);
    turns.enterWith(turn);
    this.#options.begun(begun);
  }

  readonly #onFinish = (message: unknown): void => this.#end((message as Message).response);

  #end(response: object): void {
    const request = this.#requests.get(response);
    if (!request) return;
    request.ended = true;
    this.#inFlight.delete(request);
    this.#options.finished(request);
  }

  #patch(prototype: object, name: string, method: string): Undo | undefined {
    type Method = (...args: never[]) => unknown;
    const what = `${name}.${method}()`;
    const touch = (response: object, below: Method): void => this.touch(response, what, below);
    return patchHotMethod(prototype as Record<string, Method>, method, (original, patch) => {
      return function touched(this: object, ...args) {
        if (!patch.isUndone) touch(this, touched);
        return original.apply(this, args);
      };
    });
  }
}

/**
 * On Node 24 and later, a message's events have the context of its connection, which is not a fault
 * of the application.
 */
function bindMessages(
  prototype: EventEmitter,
  bound: { get(message: object): Turn | undefined },
): Undo | undefined {
  return patchHotMethod(prototype, 'emit', (original, patch) => {
    return function emit(this: EventEmitter, ...args) {
      const turn = patch.isUndone ? undefined : bound.get(this);
      return turn === undefined || turns.getStore()?.request === turn.request
        ? original.apply(this, args)
        : turns.run(turn, () => original.apply(this, args));
    };
  });
}
