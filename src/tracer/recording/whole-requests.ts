import type { AsyncTrace } from '../record.ts';

/**
 * Returns the groups of a recording with each request as one group. A request has several groups if
 * some of its work, such as a timer of its connection, runs after the first was finished. Of a
 * request that was over when the recording began, only such later work is in the recording; it does
 * not count as a request.
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

/** The same as work of no request, which keeps the name. */
export function withoutOwner({ owner, ...trace }: AsyncTrace): AsyncTrace {
  const { asyncId } = trace.root;
  return { ...trace, root: { asyncId, type: 'request', description: owner?.label ?? '' } };
}

function join(parts: readonly AsyncTrace[]): AsyncTrace {
  const [first, last] = [parts[0] as AsyncTrace, parts.at(-1) as AsyncTrace];
  if (first === last) return first;
  return {
    ...first,
    // Only the last one knows when the request ended, if the first reached a bound.
    ...(last.owner ? { owner: last.owner } : {}),
    startedAt: parts.reduce((time, { startedAt }) => Math.min(time, startedAt), first.startedAt),
    endedAt: parts.reduce((time, { endedAt }) => Math.max(time, endedAt), first.endedAt),
    records: parts.flatMap(({ records }) => records),
    endedBy: last.endedBy,
    dropped: parts.reduce((sum, { dropped }) => sum + dropped, 0),
  };
}
