import { TraceFlags } from '@opentelemetry/api';

import { spanOfRequest, type ShowingSpan } from '../async/collecting.ts';
import { roleOfType } from '../carry/async-resource-types.ts';
import { BoundedMap } from './bounded-map.ts';
import { describe, dueAt, isDescribedLate, requestOf } from './resource-description.ts';
import { Grouper, isOneShot, toTrace, type Group, type GroupLimits } from './group.ts';
import type { ResourceOwner } from './owner.ts';
import type { AsyncRecord, AsyncTrace, TraceEnd } from './record.ts';
import { formatStack, type CapturedStack } from './stack.ts';

/*
 * Keeps the records of the async resources that are being traced.
 *
 * An entry is added at `init` (or when an earlier resource first runs), updated by later events,
 * and deleted when its group is finished. The number of entries, of finished groups waiting to be
 * taken, and of origins is bounded; what exceeds a bound is counted.
 */

export interface CollectorOptions extends GroupLimits {
  /**
   * The maximum number of async resources per group; a fifth is reserved for those that are not
   * promises. The rest is counted.
   */
  maxRecordsPerTrace: number;
  /** The maximum number of async resources in all groups, including those waiting to be taken. */
  maxRecords: number;
  /** The maximum number of callbacks per async resource. */
  maxSlices: number;
}

export interface InitEvent {
  asyncId: number;
  type: string;
  triggerAsyncId: number;
  executionAsyncId: number;
  resource: object;
  owner: ResourceOwner | undefined;
  now: number;
  stack?: CapturedStack | undefined;
  spanId?: string | undefined;
}

export interface CollectorStats {
  /** Async resources in open groups. */
  records: number;
  groups: number;
  /** Async resources in finished groups that were not taken yet. */
  waiting: number;
  origins: number;
  /** Async resources that exceeded a bound, of their group or of the total. */
  dropped: number;
}

interface Entry {
  readonly record: AsyncRecord;
  readonly group: Group;
  pending: boolean;
  stack?: CapturedStack;
  late?: WeakRef<object>;
}

const MAX_ORIGINS = 2000;
const MAX_OVERFLOW = 10_000;

export class Collector {
  readonly #options: CollectorOptions;
  readonly #grouper: Grouper;
  readonly #entries = new Map<number, Entry>();
  /** Long-lived resources whose group is finished, to name the root of a later one. */
  readonly #origins = new BoundedMap<AsyncTrace['root']>(MAX_ORIGINS);
  /** The entries that are represented by the spans of operations. */
  readonly #shown = new WeakMap<ShowingSpan, Entry>();
  /**
   * The full group of a resource that was not kept, so that resources it triggers do not start a
   * new group.
   */
  readonly #overflow = new BoundedMap<Group['ticket']>(MAX_OVERFLOW);
  #finished: AsyncTrace[] = [];
  #waiting = 0;
  #dropped = 0;

  constructor(options: CollectorOptions) {
    this.#options = options;
    this.#grouper = new Grouper(options);
  }

  init(event: InitEvent): void {
    const { asyncId, triggerAsyncId, type, now } = event;
    const record: AsyncRecord = {
      asyncId,
      type,
      triggerAsyncId,
      executionAsyncId: event.executionAsyncId,
      initAt: now,
      slices: [],
      slicesDropped: 0,
      bornBefore: false,
    };
    if (event.spanId) record.spanId = event.spanId;
    const triggerGroup =
      this.#entries.get(triggerAsyncId)?.group ?? this.#overflow.get(triggerAsyncId)?.group;
    const entry = this.#add(record, event.owner, triggerGroup, triggerAsyncId);
    if (!entry) return;
    if (event.stack) entry.stack = event.stack;
    this.#look(entry, event.resource);
    const request = requestOf(type, event.resource);
    const span = request && spanOfRequest(request);
    if (span) this.show(asyncId, span);
    const due = dueAt(type, event.resource, now);
    if (due !== undefined) entry.group.dueUntil = Math.max(entry.group.dueUntil, due);
    if (isOneShot(type)) {
      entry.pending = true;
      entry.group.pending++;
    }
  }

  /** Adds a resource that was created before recording began, when its callback runs. */
  adopt(
    asyncId: number,
    type: string,
    resource: object,
    owner: ResourceOwner | undefined,
    now: number,
  ): void {
    const record: AsyncRecord = {
      asyncId,
      type: this.#origins.get(asyncId)?.type ?? type,
      triggerAsyncId: 0,
      executionAsyncId: 0,
      initAt: now,
      slices: [],
      slicesDropped: 0,
      bornBefore: true,
    };
    const entry = this.#add(record, owner, undefined, asyncId);
    if (entry) this.#look(entry, resource);
  }

  /** Records that a span represents this resource, if both belong to the same trace. */
  show(asyncId: number, span: ShowingSpan): void {
    const entry = this.#entries.get(asyncId);
    const { traceId, spanId, traceFlags } = span.spanContext();
    const isSampled = (traceFlags & TraceFlags.SAMPLED) !== 0;
    if (!entry || !isSampled || entry.group.owner?.spanContext?.traceId !== traceId) return;
    entry.record.shownBy = spanId;
    this.#shown.set(span, entry);
  }

  /**
   * Returns the record of the resource that this span represents, when the span is about to end.
   */
  endShown(
    span: ShowingSpan,
    now: number,
  ): { record: AsyncRecord; owner: ResourceOwner | undefined } | undefined {
    const entry = this.#shown.get(span);
    if (!entry) return undefined;
    entry.record.shownUntil = now;
    const stack = formatStack(entry.stack);
    if (stack) entry.record.stack = stack;
    return { record: entry.record, owner: entry.group.owner };
  }

  has(asyncId: number): boolean {
    return this.#entries.has(asyncId);
  }

  isOrigin(asyncId: number): boolean {
    return this.#origins.has(asyncId);
  }

  before(asyncId: number, now: number): void {
    const entry = this.#entries.get(asyncId);
    if (!entry) return;
    entry.group.lastEventAt = now;
    const { record } = entry;
    if (entry.late && record.description === undefined) {
      const resource = entry.late.deref();
      const description = resource && describe(record.type, resource);
      if (description !== undefined) record.description = description;
    }
    if (record.slices.length >= this.#options.maxSlices * 2) {
      record.slicesDropped++;
      return;
    }
    // A `before` inside a `before` of the same resource: the outer slice covers it.
    if (record.slices.length % 2 === 0) record.slices.push(now);
  }

  after(asyncId: number, now: number): void {
    const entry = this.#entries.get(asyncId);
    if (!entry) return;
    this.#settle(entry, now);
    if (entry.record.slices.length % 2 === 1) entry.record.slices.push(now);
  }

  promiseResolve(asyncId: number, now: number): void {
    const entry = this.#entries.get(asyncId);
    if (!entry) return;
    entry.group.lastEventAt = now;
    entry.record.resolvedAt = now;
  }

  destroy(asyncId: number, now: number): void {
    this.#origins.delete(asyncId);
    const entry = this.#entries.get(asyncId);
    if (!entry) return;
    // Promises are destroyed when they are garbage collected, which is not an event of the work.
    if (entry.record.type !== 'PROMISE') this.#settle(entry, now);
    entry.record.destroyedAt = now;
  }

  /** Finishes the groups that are over and returns all finished groups. */
  take(now: number): AsyncTrace[] {
    for (const { group, endedBy } of this.#grouper.takeFinished(now)) this.#finish(group, endedBy);
    return this.#handOut();
  }

  /** Finishes every group and returns them all. */
  takeAll(): AsyncTrace[] {
    for (const group of this.#grouper.takeAll()) this.#finish(group, 'stop');
    this.#origins.clear();
    this.#overflow.clear();
    return this.#handOut();
  }

  stats(): CollectorStats {
    return {
      records: this.#entries.size,
      groups: this.#grouper.size,
      waiting: this.#waiting,
      origins: this.#origins.size,
      dropped: this.#dropped,
    };
  }

  #handOut(): AsyncTrace[] {
    const finished = this.#finished;
    this.#finished = [];
    this.#waiting = 0;
    return finished;
  }

  #settle(entry: Entry, now: number): void {
    entry.group.lastEventAt = now;
    if (!entry.pending) return;
    entry.pending = false;
    entry.group.pending--;
  }

  #look(entry: Entry, resource: object): void {
    const { record } = entry;
    const description = describe(record.type, resource);
    if (description !== undefined) record.description = description;
    else if (isDescribedLate(record.type)) entry.late = new WeakRef(resource);
  }

  #add(
    record: AsyncRecord,
    owner: ResourceOwner | undefined,
    triggerGroup: Group | undefined,
    rootId: number,
  ): Entry | undefined {
    if (this.#entries.size + this.#waiting >= this.#options.maxRecords && !this.#makeRoom()) {
      this.#dropped++;
      return undefined;
    }
    const group = this.#grouper.place(owner, triggerGroup, rootId, record.initAt);
    const { maxRecordsPerTrace } = this.#options;
    // A fifth of the space is reserved for resources that wait outside JavaScript, which matter
    // most.
    const room =
      record.type === 'PROMISE' ? Math.ceil(maxRecordsPerTrace * 0.8) : maxRecordsPerTrace;
    if (group.records.length >= room) {
      group.dropped++;
      this.#dropped++;
      this.#overflow.set(record.asyncId, group.ticket);
      return undefined;
    }
    if (group.records.length === 0) {
      group.root = this.#entries.get(rootId)?.record ?? this.#origins.get(rootId);
    }
    group.records.push(record);
    const entry: Entry = { record, group, pending: false };
    this.#entries.set(record.asyncId, entry);
    return entry;
  }

  /** The oldest group goes first. If finished groups are not taken, nothing new is added. */
  #makeRoom(): boolean {
    if (this.#waiting >= this.#options.maxRecords / 2) return false;
    const oldest = this.#grouper.takeOldest();
    if (oldest) this.#finish(oldest, 'cap');
    return this.#entries.size + this.#waiting < this.#options.maxRecords;
  }

  #finish(group: Group, endedBy: TraceEnd): void {
    for (const record of group.records) {
      const entry = this.#entries.get(record.asyncId);
      if (!entry) continue;
      this.#entries.delete(record.asyncId);
      this.#complete(entry);
    }
    this.#finished.push(toTrace(group, rootOf(group), endedBy));
    this.#waiting += group.records.length;
  }

  #complete(entry: Entry): void {
    const { record } = entry;
    const resource = entry.late?.deref();
    const description = resource && describe(record.type, resource);
    if (description !== undefined) record.description = description;
    const role = record.type === 'PROMISE' ? undefined : roleOfType(record.type);
    if (role) record.role = role;
    const stack = formatStack(entry.stack);
    if (stack) record.stack = stack;
    if (record.destroyedAt === undefined && isDescribedLate(record.type)) this.#remember(record);
  }

  #remember(record: AsyncRecord): void {
    this.#origins.set(record.asyncId, rootOfRecord(record));
  }
}

function rootOf({ root, rootId }: Group): AsyncTrace['root'] {
  return root ? rootOfRecord(root) : { asyncId: rootId, type: rootId <= 1 ? 'main' : 'unknown' };
}

function rootOfRecord(record: AsyncRecord | AsyncTrace['root']): AsyncTrace['root'] {
  const root: AsyncTrace['root'] = { asyncId: record.asyncId, type: record.type };
  if (record.description !== undefined) root.description = record.description;
  return root;
}
