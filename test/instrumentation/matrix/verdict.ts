import { CALLERS, type Trial } from './trial.ts';

/** What a trial comes to, in the words of the table. */
export interface Verdict {
  /** Where the user's code ran: the worst that happened. */
  context: 'own' | 'inside' | 'lost' | 'foreign' | 'hangs';
  /** Database spans per caller, and whether each is in its caller's trace. */
  spans: string;
}

export function verdictOf(trial: Trial): Verdict {
  return { context: contextOf(trial), spans: spansOf(trial) };
}

function contextOf({ failure, places }: Trial): Verdict['context'] {
  if (failure !== undefined) return 'hangs';
  const contexts = new Set(places.map(({ context }) => context));
  return (['foreign', 'lost', 'inside'] as const).find((bad) => contexts.has(bad)) ?? 'own';
}

function spansOf({ spans, expectedSpans, misplacedSpans }: Trial): string {
  const perCaller = Math.round((spans / CALLERS.length) * 10) / 10;
  const expected = expectedSpans / CALLERS.length;
  const count = spans === expectedSpans ? String(expected) : `${perCaller} for ${expected}`;
  return misplacedSpans > 0 ? `${count}, in a wrong trace` : count;
}
