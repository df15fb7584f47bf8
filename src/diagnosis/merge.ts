import { handOverIn, yourFrame } from './frames.ts';
import type { CountedObservation } from './record.ts';

/**
 * Adds observations that no hand-over explains to the one of the same line that has an explanation:
 * the first of a kind is seen before the creation stacks are kept that explain the next.
 */
export function mergeUnexplained(
  observations: readonly CountedObservation[],
): CountedObservation[] {
  const explained = new Map<string, CountedObservation>();
  const rest: CountedObservation[] = [];
  for (const seen of observations) {
    const line = lineOf(seen);
    if (line !== undefined && handOverIn(seen) && !explained.has(line)) explained.set(line, seen);
    else rest.push(seen);
  }
  const merged: CountedObservation[] = [];
  for (const seen of rest) {
    const line = lineOf(seen);
    const known = line === undefined ? undefined : explained.get(line);
    if (known && line !== undefined && !handOverIn(seen)) explained.set(line, sum(known, seen));
    else merged.push(seen);
  }
  return [...explained.values(), ...merged];
}

function lineOf({ kind, stack, anchored }: CountedObservation): string | undefined {
  const your = yourFrame(stack);
  return your && `${kind} ${anchored} ${your.file}:${your.line}`;
}

function sum(a: CountedObservation, b: CountedObservation): CountedObservation {
  const owners: Record<string, number> = { ...a.owners };
  for (const [label, count] of Object.entries(b.owners))
    owners[label] = (owners[label] ?? 0) + count;
  const count = a.count + b.count;
  return { ...a, count, brokenSpans: a.brokenSpans + b.brokenSpans, owners };
}
