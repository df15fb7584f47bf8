import { TraceFlags } from '@opentelemetry/api';

import { lastSeen, type AsyncRecord, type AsyncTrace, type TraceEnd } from './record.ts';
import type { WorkOwner } from './owner.ts';

/*
 * Open groups. A group holds what one request did, or, where no request is known, what hangs by
 * trigger from one root that no open group contains. The grouper only decides who belongs together
 * and when a group is over; it never looks at a clock itself.
 *
 * A group is over when its work is over (the owner ended; no one-shot resource is pending) and
 * nothing happened in it for a while. A `destroy` says nothing about that.
 */

export interface GroupLimits {
  /** Milliseconds without an event after which a group whose work is over is finished. */
  idleMillis: number;
  /** Milliseconds after which a group is finished in any case. */
  maxMillis: number;
}

export interface Group {
  readonly rootId: number;
  readonly owner: WorkOwner | undefined;
  readonly startedAt: number;
  readonly records: AsyncRecord[];
  /** What the first resource of the group was triggered by, where that was seen. */
  root: AsyncRecord | AsyncTrace['root'] | undefined;
  lastEventAt: number;
  /** One-shot resources whose callback has not run. */
  pending: number;
  /** Until when a timer of this group may fire. */
  dueUntil: number;
  dropped: number;
  /** Which group of its owner this is. */
  readonly part: number;
  /** Stands for the group where it must not be kept alive; empty once it is finished. */
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
  readonly #byOwner = new Map<WorkOwner, Group>();
  readonly #byRoot = new Map<number, Group>();
  readonly #open = new Set<Group>();

  constructor(limits: GroupLimits) {
    this.#limits = limits;
  }

  get size(): number {
    return this.#open.size;
  }

  /** The group an async resource belongs to, new if need be. It may be full. */
  place(
    owner: WorkOwner | undefined,
    triggerGroup: Group | undefined,
    rootId: number,
    now: number,
  ): Group {
    const group = this.#find(owner, triggerGroup, rootId) ?? this.#create(owner, rootId, now);
    group.lastEventAt = now;
    return group;
  }

  /** Takes the groups that are over out of the table. */
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
    owner: WorkOwner | undefined,
    triggerGroup: Group | undefined,
    rootId: number,
  ): Group | undefined {
    if (owner) return this.#byOwner.get(owner);
    // A request's group takes nothing in that is not known to be the request's.
    if (triggerGroup && !triggerGroup.owner && this.#open.has(triggerGroup)) return triggerGroup;
    return this.#byRoot.get(rootId);
  }

  #create(owner: WorkOwner | undefined, rootId: number, now: number): Group {
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

/** The plain record of a group that is finished. */
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
