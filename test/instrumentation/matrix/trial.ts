import { SpanKind, trace, type Span } from '@opentelemetry/api';
import type { ReadableSpan } from '@opentelemetry/sdk-trace-base';

import { asCaller, asUnsampledCaller, caller } from '../support/callers.ts';
import type { Telemetry } from '../support/telemetry.ts';
import type { Form, Setting } from './form.ts';
import { statementOf, type Statement } from './statements.ts';

export const CALLERS: readonly string[] = ['a', 'b', 'c'];

/** Where one piece of the user's code ran, and as whom. */
export interface Place {
  caller: string;
  place: string;
  /** `own`, `inside` (own, but inside a client's span), `lost` (nobody's), `foreign`. */
  context: 'own' | 'inside' | 'lost' | 'foreign';
}

/** What happened when three callers used a form at the same time. */
export interface Trial {
  places: Place[];
  /** Database spans, and how many of them there should be. */
  spans: number;
  expectedSpans: number;
  /** Spans that are missing from their caller's trace and are somewhere else. */
  misplacedSpans: number;
  /** Spans that are not children of their caller's span. */
  indirectSpans: number;
  /** The database spans, as far as they say what was executed. */
  statements: Statement[];
  failure?: string;
}

/** What a caller has besides a context key of its own. */
export type CallerSpan = 'sampled span' | 'unsampled span' | 'no span';

/** Lets three callers use `form` at once, each with `span` and a context key of its own. */
export async function tryForm<Target>(
  setting: Setting<Target>,
  form: Form<Target>,
  url: string,
  telemetry: Telemetry,
  span: CallerSpan,
): Promise<Trial> {
  const places: Place[] = [];
  const opened = await setting.open(url);
  telemetry.reset();
  let failure: string | undefined;
  const oneCaller = (name: string): Promise<unknown> => {
    const call = (): Promise<unknown> => {
      const ownSpan = trace.getActiveSpan();
      return form.run(opened.target, (place) => {
        const context = contextOf(name, caller(), !isSame(trace.getActiveSpan(), ownSpan));
        places.push({ caller: name, place, context });
      });
    };
    if (span === 'unsampled span') return asUnsampledCaller(name, call);
    return asCaller(name, call, { withSpan: span === 'sampled span' });
  };
  try {
    const all = Promise.all(CALLERS.map(oneCaller));
    await Promise.race([all, timeout(form.name)]);
  } catch (error) {
    failure = error instanceof Error ? error.message : String(error);
  }
  const spans = telemetry.spans();
  await opened.close();
  const operations = span === 'unsampled span' ? 0 : (form.operations ?? 1);
  return {
    places,
    ...countSpans(spans, operations, span === 'sampled span'),
    expectedSpans: operations * CALLERS.length,
    ...(failure === undefined ? {} : { failure }),
  };
}

/** Whether both are the same span, which dd-trace gives out as another object each time. */
function isSame(one: Span | undefined, other: Span | undefined): boolean {
  return one === other || (!!one && one.spanContext().spanId === other?.spanContext().spanId);
}

function contextOf(expected: string, actual: string, isInside: boolean): Place['context'] {
  if (actual === 'nobody') return 'lost';
  if (actual !== expected) return 'foreign';
  return isInside ? 'inside' : 'own';
}

function countSpans(
  all: ReadableSpan[],
  operations: number,
  withSpan: boolean,
): Pick<Trial, 'spans' | 'statements' | 'misplacedSpans' | 'indirectSpans'> {
  // Those of databases in this process are not of the kind CLIENT.
  const spans = all.filter(
    ({ kind, attributes }) => kind === SpanKind.CLIENT || 'db.system.name' in attributes,
  );
  const statements = spans.map(statementOf);
  if (!withSpan) return { spans: spans.length, statements, misplacedSpans: 0, indirectSpans: 0 };
  let placed = 0;
  let missing = 0;
  let direct = 0;
  for (const name of CALLERS) {
    const own = all.find((span) => span.name === `caller ${name}`)?.spanContext();
    const traced = spans.filter((span) => span.spanContext().traceId === own?.traceId);
    const children = traced.filter((span) => span.parentSpanContext?.spanId === own?.spanId);
    placed += Math.min(traced.length, operations);
    direct += children.length;
    missing += Math.max(0, operations - traced.length);
  }
  return {
    spans: spans.length,
    statements,
    // Spans that some trace lacks while there are more elsewhere than there should be.
    misplacedSpans: Math.min(missing, spans.length - placed),
    indirectSpans: spans.length - direct,
  };
}

/** A form takes milliseconds; a busy machine may take seconds for it. */
const LIMIT_MILLIS = 20_000;

async function timeout(form: string): Promise<never> {
  await new Promise((resolve) => setTimeout(resolve, LIMIT_MILLIS).unref());
  throw new Error(`${form} did not finish`);
}
