import { TraceFlags } from '@opentelemetry/api';

import { lastSeen, type AsyncRecord, type AsyncTrace, type TraceEnd } from './record.ts';
import type { ResourceOwner } from './owner.ts';

/*
 * Keeps the open groups. A group holds the async resources of one request, or, if no request is
 * known, those triggered by one root that is in no open group. The grouper only decides which
 * resources belong together and when a group is over; it never reads a clock itself.
 *
 * A group is over when its work is over (the owner ended; no one-shot resource is pending) and it
 * had no event for a while. A `destroy` is no sign of that.
 */

export interface GroupLimits {
  /**
   * How many milliseconds a group may stay without an event, once its work is over, before it is
   * finished.
   */
  idleMillis: number;
  /** The maximum duration of a group, in milliseconds. */
  maxMillis: number;
}

export interface Group {
  readonly rootId: number;
  readonly owner: ResourceOwner | undefined;
  readonly startedAt: number;
  readonly records: AsyncRecord[];
  /** The resource that triggered the first one of the group, if it was observed. */
  root: AsyncRecord | AsyncTrace['root'] | undefined;
  lastEventAt: number;
  /** One-shot resources whose callback has not run. */
  pending: number;
  /** Until when a timer of this group may fire. */
  dueUntil: number;
  dropped: number;
  /** Which group of its owner this is. */
  readonly part: number;
  /** Refers to the group without keeping it alive; empty once the group is finished. */
  readonly ticket: { group: Group | undefined };
}

/** Types whose callback runs once: a group waits for it. */
const ONE_SHOT =
  /^(TickObject|Immediate|Microtask)$|REQ(CALLBACK|PROMISE|UEST|WRAP)?$|JOB$|CONNECTWRAP$|SENDWRAP$|WRITEWRAP$|QUERYWRAP$/;

export function isOneShot(type: string): boolean {
  return ONE_SHOT.test(type);
}

export class Grouper {
  readonly #limits: GroupLimits;
  readonly #byOwner = new Map<ResourceOwner, Group>();
  readonly #byRoot = new Map<number, Group>();
  readonly #open = new Set<Group>();

  constructor(limits: GroupLimits) {
    this.#limits = limits;
  }

  get size(): number {
    return this.#open.size;
  }

  /** Returns the group an async resource belongs to, a new one if necessary. It may be full. */
  place(
    owner: ResourceOwner | undefined,
    triggerGroup: Group | undefined,
    rootId: number,
    now: number,
  ): Group {
    const group = this.#find(owner, triggerGroup, rootId) ?? this.#create(owner, rootId, now);
    group.lastEventAt = now;
    return group;
  }

  /** Removes the groups that are over from the table and returns them. */
  takeFinished(now: number): { group: Group; endedBy: TraceEnd }[] {
    const finished: { group: Group; endedBy: TraceEnd }[] = [];
    for (const group of this.#open) {
      const capped = now - group.startedAt >= this.#limits.maxMillis;
      if (!capped && !this.#isOver(group, now)) continue;
      this.#forget(group);
      finished.push({ group, endedBy: capped ? 'cap' : 'idle' });
    }
    return finished;
  }

  takeOldest(): Group | undefined {
    for (const group of this.#open) {
      this.#forget(group);
      return group;
    }
    return undefined;
  }

  takeAll(): Group[] {
    const groups = [...this.#open];
    for (const group of groups) this.#forget(group);
    return groups;
  }

  #find(
    owner: ResourceOwner | undefined,
    triggerGroup: Group | undefined,
    rootId: number,
  ): Group | undefined {
    if (owner) return this.#byOwner.get(owner);
    // A request's group only accepts resources that are known to belong to the request.
    if (triggerGroup && !triggerGroup.owner && this.#open.has(triggerGroup)) return triggerGroup;
    return this.#byRoot.get(rootId);
  }

  #create(owner: ResourceOwner | undefined, rootId: number, now: number): Group {
    const group: Group = {
      rootId,
      owner,
      startedAt: now,
      records: [],
      root: undefined,
      lastEventAt: now,
      pending: 0,
      dueUntil: 0,
      dropped: 0,
      part: owner ? ++owner.groups : 1,
      ticket: { group: undefined },
    };
    group.ticket.group = group;
    this.#open.add(group);
    if (owner) this.#byOwner.set(owner, group);
    else this.#byRoot.set(rootId, group);
    return group;
  }

  #isOver(group: Group, now: number): boolean {
    if (now - group.lastEventAt < this.#limits.idleMillis) return false;
    if (group.owner) return group.owner.ended;
    return group.pending <= 0 && now >= group.dueUntil;
  }

  #forget(group: Group): void {
    this.#open.delete(group);
    group.ticket.group = undefined;
    if (group.owner) this.#byOwner.delete(group.owner);
    else this.#byRoot.delete(group.rootId);
  }
}

/** Returns the plain record of a finished group. */
export function toTrace(group: Group, root: AsyncTrace['root'], endedBy: TraceEnd): AsyncTrace {
  const { owner, records } = group;
  const trace: AsyncTrace = {
    root,
    startedAt: owner && group.part === 1 ? owner.startedAt : group.startedAt,
    endedAt: records.reduce((end, record) => Math.max(end, lastSeen(record)), group.startedAt),
    records,
    endedBy,
    dropped: group.dropped,
  };
  if (group.part > 1) trace.part = group.part;
  if (owner) {
    trace.owner = {
      id: owner.id,
      label: owner.label,
      startedAt: owner.startedAt,
      marked: owner.marked,
    };
    if (owner.epochOffset !== undefined) trace.owner.epochOffset = owner.epochOffset;
    if (owner.spanStartedAt !== undefined) trace.owner.spanStartedAt = owner.spanStartedAt;
    if (owner.endedAt !== undefined) trace.owner.endedAt = owner.endedAt;
    if (owner.spanContext) {
      trace.owner.traceId = owner.spanContext.traceId;
      trace.owner.spanId = owner.spanContext.spanId;
      trace.owner.sampled = (owner.spanContext.traceFlags & TraceFlags.SAMPLED) !== 0;
    }
  }
  return trace;
}
