import { AsyncLocalStorage } from 'node:async_hooks';

import { context, trace, type Context, type Span, type SpanContext } from '@opentelemetry/api';

import { TracerState } from '../async/collecting.ts';
import { notedName } from '../carry/request-names.ts';
import { isSuppressed } from '../carry/suppression.ts';

/*
 * Keeps track of the owner of the running work. An owner is a request or another unit of work that
 * a user would name. It is carried by one `AsyncLocalStorage` of the tracer, so promises need no
 * hook to keep it.
 */

let lastId = 0;

/** A reading of a loop clock, to be compared with a later one. */
export interface Mark {
  /** Readings of different clocks cannot be compared. */
  readonly clock: object;
  readonly at: number;
  readonly busy: number;
  readonly run: number;
}

/** A request, job or root span, to which time on the event loop is charged. */
export class ResourceOwner extends TracerState {
  /** Counts from 1 in each process. */
  readonly id: number = ++lastId;
  #label: string | (() => string);
  /** Milliseconds on the clock of `performance.now()`. */
  readonly startedAt: number;
  /** When it ended, on the same clock; undefined while it is in progress. */
  endedAt: number | undefined;
  /** Milliseconds of JavaScript run for this owner so far. Only one `LoopClock` writes it. */
  runMillis = 0;
  /** The reading of that clock at its start. */
  mark: Mark | undefined;
  /** Whether a recording was requested for this owner, by a request with the secret. */
  marked = false;
  /** Ids only, so that an owner does not keep a finished span alive. */
  spanContext: SpanContext | undefined;
  /**
   * The span that names it. Cleared when the span ends, so that an owner does not keep it alive.
   */
  span: object | undefined;
  /**
   * Add it to a time of the tracer's clock to get the milliseconds since 1970 that its span uses.
   */
  epochOffset: number | undefined;
  /** When its span started, on the clock of `performance.now()`. */
  spanStartedAt: number | undefined;
  /** The status code of the response; undefined if there was none. */
  statusCode: number | undefined;
  /** Whether its span has status error. */
  failed = false;
  /** The number of groups of async resources that were started for it. */
  groups = 0;

  /**
   * A function as label is called when the label is first read, which for most requests is never.
   */
  constructor(label: string | (() => string), startedAt: number) {
    super();
    this.#label = label;
    this.startedAt = startedAt;
  }

  /** A label of low cardinality, without values: `GET /orders/{n}`. */
  get label(): string {
    const noted = this.span && notedName(this.span);
    if (noted !== undefined) return noted;
    if (typeof this.#label === 'function') this.#label = this.#label();
    return this.#label;
  }

  set label(label: string) {
    this.#label = label;
  }

  get ended(): boolean {
    return this.endedAt !== undefined;
  }
}

/** The owner of clew's own work: never recorded, blamed or shown. */
export const QUIET: ResourceOwner = new ResourceOwner('clew', 0);

const storage = new AsyncLocalStorage<ResourceOwner | undefined>();
const ownersOfSpans = new WeakMap<Span, ResourceOwner>();
// Until the first span has an owner, there is no need to look for the active span.
let spansHaveOwners = false;

/** Runs `fn`, and all async work that it starts, without recording it. */
export function runUntraced<Result>(fn: () => Result): Result {
  return storage.run(QUIET, fn);
}

/** Makes `owner` the owner of the rest of the current callback and of the async work it starts. */
export function enterOwner(owner: ResourceOwner): void {
  storage.enterWith(owner);
}

/** Runs `fn` as the work of `owner`. */
export function runAsOwner<Result>(owner: ResourceOwner, fn: () => Result): Result {
  return storage.run(owner, fn);
}

/** Returns the owner of the running code. */
export function currentOwner(): ResourceOwner | undefined {
  const stored = storage.getStore();
  if (stored || !spansHaveOwners) return stored;
  const span = trace.getSpan(context.active());
  return span && ownersOfSpans.get(span);
}

/** The same, but `QUIET` if tracing is suppressed: the work of exporters has no owner. */
export function recordedOwner(): ResourceOwner | undefined {
  const active: Context = context.active();
  return isSuppressed(active) ? QUIET : currentOwner();
}

/** Returns the owner of the work that a span represents, if it has one. */
export function ownerOfSpan(span: Span): ResourceOwner | undefined {
  return ownersOfSpans.get(span);
}

export function setOwnerOfSpan(span: Span, owner: ResourceOwner): void {
  spansHaveOwners = true;
  ownersOfSpans.set(span, owner);
}
