import {
  context,
  createContextKey,
  trace,
  type Context,
  type Span,
  type SpanContext,
} from '@opentelemetry/api';

/*
 * How a span learns that its parent was repaired. A repaired callback runs under a context that
 * carries a `Repair` beside everything the caller's context has; the span processor reads it when
 * a span starts. Only while a processor is installed and only where the context really differed,
 * so an application without it never sees another context object than its own.
 *
 * `marked` holds one derived context per caller's context and label, and goes with the former.
 * `callers` leads from a derived context to the caller's.
 */
const REPAIR = createContextKey('clew.repair');
const MAX_LINKS = 32;

/** What was repaired, and whom else it concerned. */
interface Repair {
  /** `kind:module`, or undefined where nothing was re-parented. */
  label?: string;
  /** The other callers of one unit of work, to be linked. */
  links?: SpanContext[];
  /** The span whose direct children are meant. */
  parent?: Span | undefined;
}

let markers = 0;
const marked = new WeakMap<Context, Map<string, Context>>();
const callers = new WeakMap<Context, Context>();

/** The caller's context that `context` was derived from for a mark; `context` where it has none. */
export function withoutMark(context: Context): Context {
  return callers.get(context) ?? context;
}

/** Whether somebody reads the marks. */
export function isMarking(): boolean {
  return markers > 0;
}

/** The repair to which `context` owes its active span, if there is one. */
export function repairOf(context: Context): Repair | undefined {
  const repair = context.getValue(REPAIR) as Repair | undefined;
  return repair?.parent === trace.getSpan(context) ? repair : undefined;
}

/** Calls `fn` under `inner` with a mark. */
export function withMarker(
  inner: Context,
  repair: Repair,
  fn: (this: unknown, ...args: unknown[]) => unknown,
  thisArg: unknown,
  args: unknown[],
): unknown {
  return context.with(markedContext(inner, repair), fn, thisArg, ...args);
}

function markedContext(inner: Context, repair: Repair): Context {
  const parent = trace.getSpan(inner);
  const outer = inner.getValue(REPAIR) as Repair | undefined;
  // Links may come on top of a repair of the same callback.
  const value: Repair = { ...(outer?.parent === parent ? outer : {}), ...repair, parent };
  if (repair.label === undefined || repair.links) return derived(inner, value);
  let contexts = marked.get(inner);
  if (!contexts) marked.set(inner, (contexts = new Map()));
  let result = contexts.get(repair.label);
  if (!result) contexts.set(repair.label, (result = derived(inner, value)));
  return result;
}

function derived(inner: Context, repair: Repair): Context {
  const result = inner.setValue(REPAIR, repair);
  callers.set(result, withoutMark(inner));
  return result;
}

/** The span contexts of `contexts` without the one of `own`, each once, at most 32. */
export function linksOf(contexts: Iterable<Context>, own: Context): SpanContext[] {
  const links = new Map<string, SpanContext>();
  const ownId = trace.getSpanContext(own)?.spanId;
  for (const each of contexts) {
    const spanContext = trace.getSpanContext(each);
    if (!spanContext || spanContext.spanId === ownId) continue;
    links.set(spanContext.spanId, spanContext);
    if (links.size === MAX_LINKS) break;
  }
  return [...links.values()];
}

/**
 * Sets `clew.repaired` on spans that have their parent because of a rule, and adds links to the
 * other callers if several shared one unit of work. Add it to the tracer provider's span
 * processors. Contexts are marked from its construction until its `shutdown`.
 */
export class RepairSpanProcessor {
  #on = true;

  constructor() {
    markers++;
  }

  onStart(span: Span, parentContext: Context): void {
    const repair = parentContext.getValue(REPAIR) as Repair | undefined;
    if (repair === undefined || trace.getSpan(parentContext) !== repair.parent) return;
    if (repair.label !== undefined) span.setAttribute('clew.repaired', repair.label);
    for (const link of repair.links ?? []) span.addLink({ context: link });
  }

  onEnd(): void {
    // Everything is said when a span starts.
  }

  forceFlush(): Promise<void> {
    return Promise.resolve();
  }

  shutdown(): Promise<void> {
    if (this.#on) markers--;
    this.#on = false;
    return Promise.resolve();
  }
}
