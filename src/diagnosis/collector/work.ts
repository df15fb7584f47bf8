import { AsyncLocalStorage } from 'node:async_hooks';

import { requestName } from '../../base/request-name.ts';
import { notedName } from '../../carry/request-names.ts';
import type { Frame, OwnerRef } from '../record.ts';
import type { Origin } from './context-origins.ts';
import type { CapturedStack } from './stack.ts';

/*
 * Who works, and where it runs, while the application is watched.
 *
 * An `Owner` is the work below one local root span; a `Request` is a message of `node:http`, known
 * with or without spans. A `Turn` is one callback of a long-lived async resource and all that
 * follows from it asynchronously; it is carried by one `AsyncLocalStorage`, exactly as Node carries
 * a context, so that lost work finds its way back to the callback it descends from.
 */

let lastId = 0;

/** A request in flight or ended. */
export class Request {
  readonly id: number = ++lastId;
  #label: string | (() => string);
  /** The work of its server span, once that is known to be made active. */
  owner: Owner | undefined;
  ended = false;
  /** What was reported of it: each kind once. */
  reported = 0;
  /** The kinds of loss that were counted of it. */
  counted = 0;

  /** A function is called when the label is first asked for, which for most requests is never. */
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
  /** The request in whose course the root span was started. */
  readonly request: Request | undefined;
  /** Its root span; not held, as connections keep the owner for long. */
  root: WeakRef<object> | undefined;
  /** When its root span ended, on the clock of `performance.now()`. */
  endedAt: number | undefined;
  /** Spans that are open and were not active yet, for those the application made. */
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

/** A span that was started and not ended. */
export interface OpenSpan {
  readonly key: object;
  readonly name: string;
  readonly scope: string;
  readonly parent: object | undefined;
  readonly captured: CapturedStack | undefined;
  active: boolean;
  /** The spans beside it that others made while it was open. */
  missed: Set<string> | undefined;
  /** Another span of the application was open beside it. */
  crowded: boolean;
}

/** A long-lived async resource or a timer. */
export interface Handle {
  readonly asyncId: number;
  readonly type: string;
  readonly isInterval: boolean;
  /** It was there before the doctor came, and nothing is known of its creation. */
  readonly isOlder?: boolean;
  /** How many timers before it were each started by the one before. */
  readonly generation: number;
  readonly captured: CapturedStack | undefined;
  readonly bornIn: Owner | Request | undefined;
  /** The turn in which it was created; a chain of these is cut after a few. */
  readonly bornDuring: Turn | undefined;
}

/** A span without a parent that may have lost it; resolved by an anchor, or left over. */
export interface Suspect {
  readonly name: string;
  /** The span. */
  readonly key: object;
  readonly captured: CapturedStack | undefined;
  /** Where the context was activated in which it began. */
  readonly origin: Origin | undefined;
  /** When it began, on the clock of `performance.now()`. */
  readonly at: number;
  readonly turn: Turn;
  readonly inFlight: number;
  /** The frames of its stack, once they were read. */
  frames: readonly Frame[] | undefined;
  /** It was called a loss when it began. */
  isJudged: boolean;
  resolved: boolean;
}

/** What one callback did. */
export interface Deeds {
  readonly asyncId: number;
  /** Spans it started, by name; where a response is touched they say what was broken. */
  readonly spans: string[];
  /** The same, themselves. */
  readonly keys: object[];
  /** Requests whose responses it touched after that. */
  readonly served: Set<Request>;
}

const MAX_DEPTH = 8;

/** One callback of a handle, and what follows from it until another handle calls back. */
export class Turn {
  readonly handle: Handle | undefined;
  readonly request: Request | undefined;
  readonly depth: number;
  suspects: Suspect[] | undefined;
  /** What the callback that runs has done so far, in this turn. */
  #deeds: Deeds | undefined;

  constructor(handle: Handle | undefined, request: Request | undefined) {
    this.handle = handle;
    this.request = request;
    this.depth = handle?.bornDuring ? handle.bornDuring.depth + 1 : 0;
  }

  /** What the callback with `asyncId` did; what an earlier one did is forgotten. */
  deedsOf(asyncId: number): Deeds {
    if (this.#deeds?.asyncId !== asyncId)
      this.#deeds = { asyncId, spans: [], keys: [], served: new Set() };
    return this.#deeds;
  }

  /** What a handle created now keeps of this turn: nothing where the chain would grow long. */
  get keepable(): Turn | undefined {
    return this.depth < MAX_DEPTH ? this : undefined;
  }
}

export const turns: AsyncLocalStorage<Turn | undefined> = new AsyncLocalStorage();
