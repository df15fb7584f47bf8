import { AsyncLocalStorage } from 'node:async_hooks';

import { context, trace, type Context, type Span, type SpanContext } from '@opentelemetry/api';

import { TracerState } from '../async/collecting.ts';
import { notedName } from '../carry/request-names.ts';
import { isSuppressed } from '../carry/suppression.ts';

/*
 * Whose work is running. An owner is a request or another unit of work a person would name; it is
 * carried by one `AsyncLocalStorage` of the tracer, so promises need no hook to keep it.
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

/** One request, job or root span: what slices of the event loop are charged to. */
export class WorkOwner extends TracerState {
  /** Counts from 1 in each process. */
  readonly id: number = ++lastId;
  #label: string | (() => string);
  /** Milliseconds on the clock of `performance.now()`. */
  readonly startedAt: number;
  /** The same of its end; undefined while it goes on. */
  endedAt: number | undefined;
  /** Milliseconds of JavaScript run for this owner so far; written by one `LoopClock` only. */
  runMillis = 0;
  /** The reading at its start by the clock that writes here. */
  mark: Mark | undefined;
  /** Whether somebody with the secret asked for a recording of this owner. */
  marked = false;
  /** Ids only: an owner must not keep a finished span alive. */
  spanContext: SpanContext | undefined;
  /** The span that names it, until that ends: an owner must not keep a finished span alive. */
  span: object | undefined;
  /** What to add to the tracer's clock to get the milliseconds since 1970 its span uses. */
  epochOffset: number | undefined;
  /** When its span started, on the clock of `performance.now()`. */
  spanStartedAt: number | undefined;
  /** What a request was answered with; undefined where it was not. */
  statusCode: number | undefined;
  /** Whether its span is an error. */
  failed = false;
  /** How many groups of async resources were begun for it. */
  groups = 0;

  /** A function is called when the label is first asked for, which for most requests is never. */
  constructor(label: string | (() => string), startedAt: number) {
    super();
    this.#label = label;
    this.startedAt = startedAt;
  }

  /** Low in cardinality and free of values: `GET /orders/{n}`. */
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

/** The owner of our own work: never recorded, never blamed, never shown. */
export const QUIET: WorkOwner = new WorkOwner('clew', 0);

const storage = new AsyncLocalStorage<WorkOwner | undefined>();
const ownersOfSpans = new WeakMap<Span, WorkOwner>();
// Until the first span has an owner, nobody need look for the active one.
let spansHaveOwners = false;

/** Runs `fn`, and all that follows from it asynchronously, without leaving a trace. */
export function quietly<Result>(fn: () => Result): Result {
  return storage.run(QUIET, fn);
}

/** Makes `owner` the owner of the rest of the current callback and of what follows from it. */
export function enterOwner(owner: WorkOwner): void {
  storage.enterWith(owner);
}

/** Runs `fn` as the work of `owner`. */
export function runAsOwner<Result>(owner: WorkOwner, fn: () => Result): Result {
  return storage.run(owner, fn);
}

/** The owner of the code that is running. */
export function currentOwner(): WorkOwner | undefined {
  const stored = storage.getStore();
  if (stored || !spansHaveOwners) return stored;
  const span = trace.getSpan(context.active());
  return span && ownersOfSpans.get(span);
}

/** The same, but `QUIET` where tracing is suppressed: what exporters do is nobody's work. */
export function recordedOwner(): WorkOwner | undefined {
  const active: Context = context.active();
  return isSuppressed(active) ? QUIET : currentOwner();
}

/** The owner of the work a span stands for, if it has one. */
export function ownerOfSpan(span: Span): WorkOwner | undefined {
  return ownersOfSpans.get(span);
}

export function setOwnerOfSpan(span: Span, owner: WorkOwner): void {
  spansHaveOwners = true;
  ownersOfSpans.set(span, owner);
}
