import type { AsyncTrace } from '../record.ts';

/**
 * The groups of a recording, each request as one. A request has several where something of it
 * happens after the first was finished, as a timer of its connection does. Of a request that was
 * over when the recording began there is only such a rest, which is no request of it.
 */
export function wholeRequests(groups: readonly AsyncTrace[], beganAt: number): AsyncTrace[] {
  const parts = new Map<number | AsyncTrace, AsyncTrace[]>();
  for (const group of groups) {
    const isRest = (group.owner?.endedAt ?? Infinity) < beganAt;
    const one = isRest ? withoutOwner(group) : group;
    const key = one.owner?.id ?? one;
    const before = parts.get(key);
    if (before) before.push(one);
    else parts.set(key, [one]);
  }
  return [...parts.values()].map(join);
}

/** The same as work of no request, which still bears its name. */
export function withoutOwner({ owner, ...trace }: AsyncTrace): AsyncTrace {
  const { asyncId } = trace.root;
  return { ...trace, root: { asyncId, type: 'request', description: owner?.label ?? '' } };
}

function join(parts: readonly AsyncTrace[]): AsyncTrace {
  const [first, last] = [parts[0] as AsyncTrace, parts.at(-1) as AsyncTrace];
  if (first === last) return first;
  return {
    ...first,
    // Only the last knows when the request ended, where the first met a bound.
    ...(last.owner ? { owner: last.owner } : {}),
    startedAt: parts.reduce((time, { startedAt }) => Math.min(time, startedAt), first.startedAt),
    endedAt: parts.reduce((time, { endedAt }) => Math.max(time, endedAt), first.endedAt),
    records: parts.flatMap(({ records }) => records),
    endedBy: last.endedBy,
    dropped: parts.reduce((sum, { dropped }) => sum + dropped, 0),
  };
}
