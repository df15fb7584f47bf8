import { context, createContextKey, ROOT_CONTEXT, trace, TraceFlags } from '@opentelemetry/api';

const CALLER = createContextKey('caller of the test');

/** Calls `fn` as `name`, whose context holds a key of its own and, if asked, a span of its own. */
export async function asCaller<Result>(
  name: string,
  fn: () => Promise<Result>,
  { withSpan = false }: { withSpan?: boolean } = {},
): Promise<Result> {
  const own = ROOT_CONTEXT.setValue(CALLER, name);
  if (!withSpan) return context.with(own, fn);
  const span = trace.getTracer('test').startSpan(`caller ${name}`, {}, own);
  try {
    return await context.with(trace.setSpan(own, span), fn);
  } finally {
    span.end();
  }
}

/** Calls `fn` as `name`, whose request came from somebody who does not sample it. */
export function asUnsampledCaller<Result>(
  name: string,
  fn: () => Promise<Result>,
): Promise<Result> {
  const own = trace.setSpanContext(ROOT_CONTEXT.setValue(CALLER, name), {
    traceId: '0af7651916cd43dd8448eb211c80319c',
    spanId: 'b7ad6b7169203331',
    traceFlags: TraceFlags.NONE,
    isRemote: true,
  });
  return context.with(own, fn);
}

/** Finds a caller by something else than its key, which not every context manager keeps. */
let find: (() => string | undefined) | undefined;
export function findCallersBy(finder: () => string | undefined): void {
  find = finder;
}

/** Who the running code belongs to: the name given to `asCaller`, or `nobody`. */
export function caller(): string {
  if (find) return find() ?? 'nobody';
  return (context.active().getValue(CALLER) as string | undefined) ?? 'nobody';
}

/** A promise kept by a callback. */
export function called<Args extends unknown[]>(
  start: (callback: (...args: Args) => void) => void,
): Promise<Args> {
  return new Promise((resolve) => {
    start((...args) => resolve(args));
  });
}
