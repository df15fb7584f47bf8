import type { CountedObservation } from './record.ts';

/** The number of labels in a headline; the others are counted. */
const MAX_LABELS = 2;

/** Returns the requests that the observations belong to, by label, most frequent first. */
export function ownersOf({ owners }: CountedObservation): [label: string, count: number][] {
  return Object.entries(owners).sort(([, a], [, b]) => b - a);
}

function requestsOf(seen: CountedObservation): string {
  const labels = ownersOf(seen).map(([label]) => label);
  if (labels.length === 0) return seen.owner?.label ?? 'a request';
  const left = labels.length - MAX_LABELS;
  const shown = labels.slice(0, MAX_LABELS);
  if (left > 0) return `${shown.join(', ')} and ${left} more`;
  return shown.join(' and ');
}

/** The headline of a finding: what is wrong, how often, of what. */
export function summaryOf(seen: CountedObservation): string {
  const { kind, count, what, spans, callers } = seen;
  const whose = requestsOf(seen);
  const names = [...new Set(spans)];
  const work = names.length > 0 ? names.slice(0, 3).join(', ') : what;
  switch (kind) {
    case 'lost':
      return `LOST ${count} × ${work}: no request was active`;
    case 'mixed':
      return `MIXED ${count} × ${work} of ${whose} in another request`;
    case 'stale':
      return `STALE ${count} × ${work} under ${whose}, which had ended`;
    case 'batched':
      return `BATCHED ${count} × ${work} served ${callers ?? 2} requests at once`;
    default:
      return `NOT ACTIVE ${count} × ${what}: its work is not below it`;
  }
}
