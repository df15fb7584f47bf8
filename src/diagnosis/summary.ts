import type { CountedObservation } from './record.ts';

/** The headline of a finding: what is wrong, how often, of what. */
export function summaryOf(seen: CountedObservation): string {
  const { kind, count, what, spans, owner, callers } = seen;
  const whose = owner?.label ?? 'a request';
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
