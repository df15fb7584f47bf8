import {
  isSpanContextValid,
  propagation,
  trace,
  type Context,
  type Link,
  type SpanContext,
} from '@opentelemetry/api';

import { contextIn, type Carrier } from './carrier.ts';
import type { ConsumerSpan } from './messaging-config.ts';

/** Where the messages of a consumer's operation come from. */
export interface Origin {
  /** What each of them carries, for a batch all. */
  readonly carriers: readonly (Carrier | undefined)[];
  /**
   * Whether time passes by design between the producer and the consumer (a delayed or a repeated job),
   * so that a child would stretch the producer's trace: then it is linked, whatever is configured.
   */
  readonly isDeferred?: boolean | undefined;
}

/** What a consumer's span hangs on. */
export interface Parentage {
  readonly parent: Context;
  readonly links: Link[];
}

/**
 * The parent and the links of the span of a consumer that runs in `active`. A child of a producer has
 * no link to it. Baggage of a single message comes along in every case.
 */
export function parentageOf(
  { carriers, isDeferred = false }: Origin,
  consumerSpan: ConsumerSpan,
  active: Context,
): Parentage {
  const contexts = carriers.map((carrier) => contextIn(carrier));
  const [only] = contexts;
  const single = contexts.length === 1 ? only : undefined;
  const base = consumerSpan === 'root' ? trace.deleteSpan(active) : active;
  const baggage = single && propagation.getBaggage(single);
  const here = baggage ? propagation.setBaggage(base, baggage) : base;
  if (consumerSpan === 'child' && !isDeferred && single && spanIn(single)) {
    // On top of what is active, for what a propagator may have read besides.
    return { parent: contextIn(carriers[0], active), links: [] };
  }
  return { parent: here, links: linksTo(contexts) };
}

/** A link to each of the producers' spans, however many messages came from one. */
function linksTo(contexts: readonly Context[]): Link[] {
  const links = new Map<string, Link>();
  for (const each of contexts) {
    const context = spanIn(each);
    if (context) links.set(`${context.traceId}:${context.spanId}`, { context });
  }
  return [...links.values()];
}

function spanIn(context: Context): SpanContext | undefined {
  const found = trace.getSpanContext(context);
  return found && isSpanContextValid(found) ? found : undefined;
}
