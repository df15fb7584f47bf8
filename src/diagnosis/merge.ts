import { certaintyOf } from './certainty.ts';
import { handOverIn, yourFrame, type ReadCall } from './stack-frames.ts';
import type { CountedObservation, Frame } from './record.ts';

/**
 * Adds observations without a known hand-over to the one of the same line that has one: the first
 * of a kind is observed before creation stacks are kept that explain the next.
 */
export function mergeUnexplained(
  observations: readonly CountedObservation[],
  read?: ReadCall,
): CountedObservation[] {
  const explained = new Map<string, CountedObservation>();
  const rest: CountedObservation[] = [];
  for (const seen of observations) {
    const line = lineOf(seen, read);
    if (line !== undefined && handOverIn(seen, read) && !explained.has(line))
      explained.set(line, seen);
    else rest.push(seen);
  }
  const merged: CountedObservation[] = [];
  for (const seen of rest) {
    const line = lineOf(seen, read);
    const known = line === undefined ? undefined : explained.get(line);
    if (known && line !== undefined && !handOverIn(seen, read))
      explained.set(line, sum(known, seen));
    else merged.push(seen);
  }
  return [...explained.values(), ...merged];
}

/**
 * Adds stale work to a loss in the same callbacks. If a timer or connection that an ended request
 * created also runs work of other requests, it works for those: that their callbacks ran there is
 * the cause, and its repair differs from that of work that nothing waits for.
 */
export function mergeStale(
  observations: readonly CountedObservation[],
  read?: ReadCall,
): CountedObservation[] {
  const losses = new Map<string, CountedObservation>();
  for (const seen of observations) {
    const isLoss = seen.anchored && (seen.kind === 'lost' || seen.kind === 'mixed');
    const isSure = isLoss && certaintyOf(seen, handOverIn(seen, read)) === 'proven';
    const served = isSure ? servedBy(seen, read) : undefined;
    if (served !== undefined && !losses.has(served)) losses.set(served, seen);
  }
  const added = new Map<CountedObservation, number>();
  const rest = observations.filter((seen) => {
    const loss = seen.kind === 'stale' && losses.get(servedBy(seen, read) ?? '');
    if (!loss) return true;
    // The spans of the callbacks themselves are counted with the loss.
    const more = loss.spans.includes(seen.what) ? 0 : seen.brokenSpans;
    added.set(loss, (added.get(loss) ?? 0) + more);
    return false;
  });
  return rest.map((seen) => {
    const more = added.get(seen);
    return more ? { ...seen, brokenSpans: seen.brokenSpans + more } : seen;
  });
}

/**
 * Identifies callbacks: by the line that created the async resource, and the code that hands over
 * there.
 */
function servedBy(seen: CountedObservation, read?: ReadCall): string | undefined {
  const { handle } = seen;
  const born = handle?.bornIn && (yourFrame(handle.stack) ?? handle.stack[0]);
  const handOver = handOverIn(seen, read);
  if (!born || !handOver) return undefined;
  return `${handle.type} ${placeOf(born)} ${handOver.package ?? placeOf(handOver.frame)}`;
}

const placeOf = ({ file, line }: Frame): string => `${file}:${line}`;

function lineOf(
  { kind, stack, anchored }: CountedObservation,
  read?: ReadCall,
): string | undefined {
  const your = yourFrame(stack, read);
  return your && `${kind} ${anchored} ${your.file}:${your.line}`;
}

/** Returns the first observation, with the counts and owners of both. */
export function sum(a: CountedObservation, b: CountedObservation): CountedObservation {
  const owners: Record<string, number> = { ...a.owners };
  for (const [label, count] of Object.entries(b.owners))
    owners[label] = (owners[label] ?? 0) + count;
  const count = a.count + b.count;
  return { ...a, count, brokenSpans: a.brokenSpans + b.brokenSpans, owners };
}
