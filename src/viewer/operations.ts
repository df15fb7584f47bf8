import type { Placed } from './kinship.ts';
import type { SpanKind } from './model.ts';
import type { OperationTime } from './trace-model.ts';
import { nameOf } from './span.ts';
import type { Trace } from './store.ts';

/** The spans of one name, kind and service within a trace. */
export interface Operation {
  readonly name: string;
  readonly kind: SpanKind;
  readonly service: string;
  readonly time: OperationTime;
}

type Stretch = [start: bigint, end: bigint];

const known = new WeakMap<Trace, { version: number; operations: Map<string, Operation> }>();

/** The operations of a trace, by a key that is the same in every trace. */
export function operationsOf(trace: Trace): ReadonlyMap<string, Operation> {
  const before = known.get(trace);
  if (before?.version === trace.version) return before.operations;
  const groups = new Map<string, Placed[]>();
  for (const placed of trace.kinship.order) {
    const { span } = placed.of;
    const key = JSON.stringify([span.origin.service, span.kind, nameOf(span)]);
    const group = groups.get(key);
    if (group) group.push(placed);
    else groups.set(key, [placed]);
  }
  const operations = new Map([...groups].map(([key, group]) => [key, operationOf(group)]));
  known.set(trace, { version: trace.version, operations });
  return operations;
}

function operationOf(group: readonly Placed[]): Operation {
  const { span } = (group[0] as Placed).of;
  const { kind, origin } = span;
  let self = 0n;
  for (const placed of group) self += selfTimeOf(placed);
  const total = lengthOf(group.map(({ of }) => [of.span.startNanos, of.endNanos]));
  const time = { count: group.length, totalMs: toMillis(total), selfMs: toMillis(self) };
  return { name: nameOf(span), kind, service: origin.service, time };
}

/** The time of a span without that of its children, in nanoseconds. */
function selfTimeOf({ of, children }: Placed): bigint {
  const [start, end] = [of.span.startNanos, of.endNanos];
  const below: Stretch[] = [];
  for (const child of children) {
    const from = child.of.span.startNanos > start ? child.of.span.startNanos : start;
    const to = child.of.endNanos < end ? child.of.endNanos : end;
    if (from < to) below.push([from, to]);
  }
  return end - start - lengthOf(below);
}

/** How much time stretches cover, where they overlap once. */
function lengthOf(stretches: Stretch[]): bigint {
  let [sum, until] = [0n, 0n];
  for (const [start, end] of stretches.sort((a, b) => (a[0] < b[0] ? -1 : a[0] > b[0] ? 1 : 0))) {
    const from = start > until ? start : until;
    if (end <= from) continue;
    sum += end - from;
    until = end;
  }
  return sum;
}

function toMillis(nanos: bigint): number {
  return Number(nanos) / 1e6;
}
