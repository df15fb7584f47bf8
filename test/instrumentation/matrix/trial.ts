import { SpanKind, trace } from '@opentelemetry/api';
import type { ReadableSpan } from '@opentelemetry/sdk-trace-base';

import { asCaller, caller } from '../support/callers.ts';
import type { Telemetry } from '../support/telemetry.ts';
import type { Form, Setting } from './form.ts';

export const CALLERS: readonly string[] = ['a', 'b', 'c'];

/** Where one piece of the user's code ran, and as whom. */
export interface Place {
  caller: string;
  place: string;
  /** `own`, or `lost` (nobody's context), or `foreign` (another caller's, or inside our span). */
  context: 'own' | 'lost' | 'foreign';
}

/** What happened when three callers used a form at the same time. */
export interface Trial {
  places: Place[];
  /** Database spans, and how many of them there should be. */
  spans: number;
  expectedSpans: number;
  /** Spans whose parent is not the span of one of the callers, counted per caller. */
  misplacedSpans: number;
  failure?: string;
}

/** Lets three callers use `form` at once, each with a span or only with a context key of its own. */
export async function tryForm<Target>(
  setting: Setting<Target>,
  form: Form<Target>,
  url: string,
  telemetry: Telemetry,
  withSpan: boolean,
): Promise<Trial> {
  const places: Place[] = [];
  const opened = await setting.open(url);
  telemetry.reset();
  let failure: string | undefined;
  const oneCaller = (name: string): Promise<unknown> =>
    asCaller(
      name,
      () => {
        const ownSpan = trace.getActiveSpan();
        return form.run(opened.target, (place) => {
          const isInside = trace.getActiveSpan() !== ownSpan;
          const who = caller();
          const own = who === name && !isInside;
          places.push({
            caller: name,
            place,
            context: own ? 'own' : who === 'nobody' ? 'lost' : 'foreign',
          });
        });
      },
      { withSpan },
    );
  try {
    const all = Promise.all(CALLERS.map(oneCaller));
    await Promise.race([all, timeout(form.name)]);
  } catch (error) {
    failure = error instanceof Error ? error.message : String(error);
  }
  const spans = telemetry.spans();
  await opened.close();
  const operations = form.operations ?? 1;
  return {
    places,
    ...countSpans(spans, operations, withSpan),
    expectedSpans: operations * CALLERS.length,
    ...(failure === undefined ? {} : { failure }),
  };
}

function countSpans(
  all: ReadableSpan[],
  operations: number,
  withSpan: boolean,
): { spans: number; misplacedSpans: number } {
  const spans = all.filter(({ kind }) => kind === SpanKind.CLIENT);
  if (!withSpan) return { spans: spans.length, misplacedSpans: 0 };
  let placed = 0;
  for (const name of CALLERS) {
    const own = all.find((span) => span.name === `caller ${name}`)?.spanContext().spanId;
    const children = spans.filter(({ parentSpanContext }) => parentSpanContext?.spanId === own);
    placed += Math.min(children.length, operations);
  }
  return { spans: spans.length, misplacedSpans: spans.length - placed };
}

async function timeout(form: string): Promise<never> {
  await new Promise((resolve) => setTimeout(resolve, 5000).unref());
  throw new Error(`${form} did not finish`);
}
