import { createContextKey, type Context } from '@opentelemetry/api';

/*
 * What a query builder knows about the operation that its driver is about to record: its summary.
 * It goes down in the context, because the driver is another library; and it is taken once, so
 * that what the application does in that context later is not named after it.
 */
const HINT = createContextKey('clew operation hint');

interface Hint {
  summary: string | undefined;
}

/** `context` in which the next operation recorded has this summary. */
export function withSummary(context: Context, summary: string): Context {
  return context.setValue(HINT, { summary } satisfies Hint);
}

/** The summary left for the next operation in `context`. */
export function takeSummary(context: Context): string | undefined {
  const hint = context.getValue(HINT) as Hint | undefined;
  const summary = hint?.summary;
  if (hint) hint.summary = undefined;
  return summary;
}
