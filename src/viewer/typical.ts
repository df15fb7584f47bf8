import type { TimeParts } from './model.ts';
import type { OperationTime, Typical, TypicalOperation } from './trace-model.ts';
import { operationsOf, type Operation } from './operations.ts';
import { rowOf } from './request-row.ts';
import type { Trace, TraceStore } from './store.ts';

const MAX_OTHERS = 200;
const MAX_OPERATIONS = 50;
const NONE: OperationTime = { count: 0, totalMs: 0, selfMs: 0 };

/** What the other traces of the same root name and service have in common, beside this one. */
export function typicalOf(trace: Trace, store: TraceStore): Typical | undefined {
  const { name, service } = rowOf(trace);
  const others: Trace[] = [];
  for (const other of store.traces) {
    if (other === trace) continue;
    const row = rowOf(other);
    if (row.name === name && row.service === service && !row.incomplete) others.push(other);
  }
  // Those at the end are the newest.
  const compared = others.slice(-MAX_OTHERS);
  if (compared.length === 0) return undefined;
  const rows = compared.map(rowOf);
  const parts = rows.flatMap((row) => row.parts ?? []);
  return {
    name,
    service,
    requests: compared.length,
    durationMs: median(rows.map(({ durationMs }) => durationMs)),
    ...(parts.length > 0 ? { parts: medianParts(parts) } : {}),
    operations: compareOperations(trace, compared),
  };
}

/** Every operation of this trace and of the others, the greatest difference in own time first. */
export function compareOperations(trace: Trace, others: readonly Trace[]): TypicalOperation[] {
  const here = operationsOf(trace);
  const theirs = others.map(operationsOf);
  const all = new Map<string, Operation>();
  for (const operations of [here, ...theirs]) {
    for (const [key, operation] of operations) if (!all.has(key)) all.set(key, operation);
  }
  const compared = [...all].map(([key, { name, kind, service }]) => {
    const mine = here.get(key)?.time ?? NONE;
    const typical = medianTime(theirs.map((operations) => operations.get(key)?.time ?? NONE));
    const lostMs = mine.selfMs - typical.selfMs;
    return { name, kind, service, here: mine, typical, lostMs };
  });
  return compared.sort((a, b) => Math.abs(b.lostMs) - Math.abs(a.lostMs)).slice(0, MAX_OPERATIONS);
}

function medianTime(times: readonly OperationTime[]): OperationTime {
  return {
    count: median(times.map(({ count }) => count)),
    totalMs: median(times.map(({ totalMs }) => totalMs)),
    selfMs: median(times.map(({ selfMs }) => selfMs)),
  };
}

function medianParts(parts: readonly TimeParts[]): TimeParts {
  return {
    runningMs: median(parts.map(({ runningMs }) => runningMs)),
    ioMs: median(parts.map(({ ioMs }) => ioMs)),
    loopMs: median(parts.map(({ loopMs }) => loopMs)),
  };
}

/** The middle value; of an even number the mean of the two in the middle. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  const upper = sorted[Math.floor(middle)] ?? 0;
  return Number.isInteger(middle) ? (upper + (sorted[middle - 1] ?? upper)) / 2 : upper;
}
