import { executionAsyncId } from 'node:async_hooks';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { ServerResponse } from 'node:http';

import { http } from '../../base/node-http.ts';
import { templateOf } from '../../base/path-template.ts';
import { patchHotMethod, type Undo } from '../../instrumentation/patch.ts';
import { Request, Turn, turns, type Handle } from './work.ts';

const START = 'http.server.request.start';
const FINISH = 'http.server.response.finish';
const METHODS = ['writeHead', 'setHeader', 'write', 'end'] as const;
const MAX_IN_FLIGHT = 10_000;

interface Message {
  request: { method?: string; url?: string };
  response: ServerResponse;
}

export interface AnchorOptions {
  begun(): void;
  /** A method of a response was called; `below` is the function that stands between. */
  touched(request: Request, method: string, below: (...args: never[]) => unknown): void;
}

/** The async resource of an incoming message, which belongs to its request. */
function messageHandle(bornIn: Request): Handle {
  const type = 'HTTPINCOMINGMESSAGE';
  const asyncId = executionAsyncId();
  const rest = { isInterval: false, generation: 0, captured: undefined, bornDuring: undefined };
  return { asyncId, type, bornIn, ...rest };
}

/**
 * The requests of `node:http`, and their responses as anchors: each belongs to one request for
 * ever, so the context under which it is touched is right or wrong beyond doubt. Other objects can
 * be given to a request by `own`.
 */
export class Anchors {
  readonly #options: AnchorOptions;
  readonly #requests = new WeakMap<object, Request>();
  readonly #inFlight = new Map<Request, WeakRef<ServerResponse>>();
  readonly #undos: Undo[] = [];
  count = 0;

  constructor(options: AnchorOptions) {
    this.#options = options;
  }

  start(): void {
    subscribe(START, this.#onStart);
    subscribe(FINISH, this.#onFinish);
    for (const method of METHODS) {
      const undo = this.#patch(method);
      if (undo) this.#undos.push(undo);
    }
  }

  stop(): void {
    unsubscribe(START, this.#onStart);
    unsubscribe(FINISH, this.#onFinish);
    for (const undo of this.#undos.splice(0).toReversed()) undo();
    this.#inFlight.clear();
  }

  /** Requests that began and are not answered. */
  get inFlight(): number {
    for (const [request, response] of this.#inFlight) {
      const alive = response.deref();
      if (!alive || alive.closed || alive.destroyed) this.#inFlight.delete(request);
    }
    return this.#inFlight.size;
  }

  /** Makes `object` belong to the request that runs. */
  own(object: object): void {
    const request = turns.getStore()?.request;
    if (request) this.#requests.set(object, request);
  }

  /** Says that `object` is touched. */
  touch(object: object, what: string, below: (...args: never[]) => unknown): void {
    const request = this.#requests.get(object);
    if (request) this.#options.touched(request, what, below);
  }

  readonly #onStart = (message: unknown): void => {
    const { request, response } = message as Message;
    const { method = 'HTTP', url = '/' } = request;
    const begun = new Request(() => `${method} ${templateOf(url)}`);
    this.count++;
    this.#requests.set(response, begun);
    if (this.#inFlight.size < MAX_IN_FLIGHT || this.inFlight < MAX_IN_FLIGHT) {
      this.#inFlight.set(begun, new WeakRef(response));
    }
    turns.enterWith(new Turn(messageHandle(begun), begun));
    this.#options.begun();
  };

  readonly #onFinish = (message: unknown): void => {
    const request = this.#requests.get((message as Message).response);
    if (!request) return;
    request.ended = true;
    this.#inFlight.delete(request);
  };

  #patch(method: (typeof METHODS)[number]): Undo | undefined {
    type Method = (...args: never[]) => unknown;
    const touch = (response: object, below: Method): void => this.touch(response, method, below);
    return patchHotMethod(
      http.ServerResponse.prototype as unknown as Record<string, Method>,
      method,
      (original, patch) => {
        return function touched(this: object, ...args) {
          if (!patch.isUndone) touch(this, touched);
          return original.apply(this, args);
        };
      },
    );
  }
}
