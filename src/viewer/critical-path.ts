import type { AdjustedSpan } from './adjust.ts';
import type { Placed } from './kinship.ts';

/*
 * The critical path, as Jaeger's page draws it: from the end of the trace backwards, at each moment
 * the span that everything after it waited for. A child that sticks out of its parent is cut, and one
 * that started after its parent's end is left out.
 */

/** A stretch in nanoseconds since 1970. */
export type Stretch = readonly [start: bigint, end: bigint];

/** For each span on it, where the path runs through the span itself, in the order of time. */
export function criticalPath(root: Placed | undefined): Map<AdjustedSpan, Stretch[]> {
  const path = new Map<AdjustedSpan, Stretch[]>();
  if (!root) return path;
  const ahead: [Placed, Stretch][] = [[root, [root.of.span.startNanos, root.of.endNanos]]];
  for (let next = ahead.pop(); next; next = ahead.pop()) {
    const [{ of, children }, [start, end]] = next;
    const own: Stretch[] = [];
    let cursor = end;
    for (const [child, stretch] of lastFirst(children, start, end)) {
      if (stretch[1] > cursor) continue;
      if (stretch[1] < cursor) own.push([stretch[1], cursor]);
      ahead.push([child, stretch]);
      cursor = stretch[0];
    }
    if (cursor > start) own.push([start, cursor]);
    if (own.length > 0) path.set(of, own.toReversed());
  }
  return path;
}

/** Children as far as they lie within the parent, the one that ended last first. */
function lastFirst(children: readonly Placed[], start: bigint, end: bigint): [Placed, Stretch][] {
  const within: [Placed, Stretch][] = [];
  for (const child of children) {
    const { span, endNanos } = child.of;
    const from = span.startNanos > start ? span.startNanos : start;
    const to = endNanos < end ? endNanos : end;
    if (from < to) within.push([child, [from, to]]);
  }
  return within.sort(([, a], [, b]) => (a[1] > b[1] ? -1 : a[1] < b[1] ? 1 : 0));
}
