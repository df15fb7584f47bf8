import { AsyncLocalStorage } from 'node:async_hooks';

import { requestName } from '../../base/request-name.ts';
import { notedName } from '../../carry/request-names.ts';
import type { Frame, OwnerRef } from '../record.ts';
import type { Origin } from './context-origins.ts';
import type { CapturedStack } from './stack.ts';

/*
 * Tracks which work runs, and where, while the application is watched.
 *
 * An `Owner` is the work below one local root span; a `Request` is a message of `node:http`, known
 * with or without spans. A `Turn` is one callback of a long-lived async resource and all async work
 * that it starts; it is carried by one `AsyncLocalStorage`, exactly as Node carries a context, so
 * that lost work can be traced back to the callback it descends from.
 */

let lastId = 0;

/** A request in flight or ended. */
export class Request {
  readonly id: number = ++lastId;
  #label: string | (() => string);
  /** The work of its server span, once that span is known to be active. */
  owner: Owner | undefined;
  ended = false;
  /** The kinds that were reported for it, each once. */
  reported = 0;
  /** The kinds of loss that were counted for it. */
  counted = 0;
  /** The names under which it was counted. */
  readonly names: string[] = [];

  /**
   * A function as label is called when the label is first read, which for most requests is never.
   */
  constructor(label: string | (() => string)) {
    this.#label = label;
  }

  /** By its route as far as that is known by now, else by its path. */
  get label(): string {
    const span = this.owner?.root?.deref();
    const noted = span && notedName(span);
    if (noted !== undefined) return noted;
    if (typeof this.#label === 'function') this.#label = this.#label();
    return this.#label;
  }

  /** Its server span ended: its name is final. */
  settle(span: object): void {
    const { name, attributes } = span as { name?: unknown; attributes?: Record<string, unknown> };
    // Spans of other tracers may look otherwise.
    if (typeof name === 'string' && attributes) {
      this.#label = requestName(name, (key) => attributes[key]);
    }
  }

  get ref(): OwnerRef {
    return { id: this.id, label: this.label, traceId: this.owner?.traceId, ended: this.ended };
  }
}

/** The work below one local root span. */
export class Owner {
  readonly id: number = ++lastId;
  readonly name: string;
  readonly traceId: string | undefined;
  /** The request during which the root span was started. */
  readonly request: Request | undefined;
  /** Its root span; held weakly, since connections keep the owner for a long time. */
  root: WeakRef<object> | undefined;
  /** When its root span ended, on the clock of `performance.now()`. */
  endedAt: number | undefined;
  /** Open spans of the application that were not active yet. */
  open: OpenSpan[] | undefined;

  constructor(name: string, traceId: string | undefined, request: Request | undefined) {
    this.name = name;
    this.traceId = traceId;
    this.request = request;
  }

  get label(): string {
    return this.request?.label ?? this.name;
  }

  get ref(): OwnerRef {
    const ended = this.endedAt !== undefined;
    return { id: this.id, label: this.label, traceId: this.traceId, ended };
  }
}

/** A span that has started but not ended. */
export interface OpenSpan {
  readonly key: object;
  readonly name: string;
  readonly scope: string;
  readonly parent: object | undefined;
  readonly captured: CapturedStack | undefined;
  active: boolean;
  /** Spans that other code started beside it while it was open. */
  missed: Set<string> | undefined;
  /** Whether another span of the application was open beside it. */
  crowded: boolean;
}

/** A long-lived async resource or a timer. */
export interface Handle {
  readonly asyncId: number;
  readonly type: string;
  readonly isInterval: boolean;
  /** It was created before the doctor started, so nothing is known of its creation. */
  readonly isOlder?: boolean;
  /** The number of timers before it in a chain where each started the next. */
  readonly generation: number;
  readonly captured: CapturedStack | undefined;
  readonly bornIn: Owner | Request | undefined;
  /** The turn in which it was created; a chain of turns is cut after a few. */
  readonly bornDuring: Turn | undefined;
}

/** A span without a parent that may have lost it; resolved by an anchor, or never. */
export interface Suspect {
  readonly name: string;
  /** The span. */
  readonly key: object;
  readonly captured: CapturedStack | undefined;
  /** Where the context in which it began was activated. */
  readonly origin: Origin | undefined;
  /** When it began, on the clock of `performance.now()`. */
  readonly at: number;
  readonly turn: Turn;
  readonly inFlight: number;
  /** The frames of its stack, once read. */
  frames: readonly Frame[] | undefined;
  /** Whether it was counted as a loss when it began. */
  isJudged: boolean;
  resolved: boolean;
}

/** The record of what one callback did. */
export interface Deeds {
  readonly asyncId: number;
  /** The names of spans it started; if it touches a response, these are the broken ones. */
  readonly spans: string[];
  /** The same spans themselves. */
  readonly keys: object[];
  /** Requests whose responses it touched afterwards. */
  readonly served: Set<Request>;
}

const MAX_DEPTH = 8;

/** One callback of a handle, and the work that follows until another handle calls back. */
export class Turn {
  readonly handle: Handle | undefined;
  readonly request: Request | undefined;
  readonly depth: number;
  suspects: Suspect[] | undefined;
  /** What the running callback has done so far, in this turn. */
  #deeds: Deeds | undefined;

  constructor(handle: Handle | undefined, request: Request | undefined) {
    this.handle = handle;
    this.request = request;
    this.depth = handle?.bornDuring ? handle.bornDuring.depth + 1 : 0;
  }

  /** Returns what the callback with `asyncId` did; the record of an earlier one is dropped. */
  deedsOf(asyncId: number): Deeds {
    if (this.#deeds?.asyncId !== asyncId)
      this.#deeds = { asyncId, spans: [], keys: [], served: new Set() };
    return this.#deeds;
  }

  /** Returns what a handle created now keeps of this turn: nothing if the chain would grow long. */
  get keepable(): Turn | undefined {
    return this.depth < MAX_DEPTH ? this : undefined;
  }
}

export const turns: AsyncLocalStorage<Turn | undefined> = new AsyncLocalStorage();
