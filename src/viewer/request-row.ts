import { CONTEXT_LOSS, OUTSIDE } from './attributes.ts';
import type { RequestRow } from './model.ts';
import {
  attributeOf,
  durationOf,
  hasFailed,
  millisOf,
  nameOf,
  pathOf,
  statusCodeOf,
  textOf,
} from './span.ts';
import type { Trace } from './store.ts';
import { blockerOf, timePartsOf } from './time-parts.ts';

/** What is known of a trace without its findings, kept until the trace changes. */
interface Known {
  version: number;
  row: Omit<RequestRow, 'findings'>;
  marks: Mark[];
  outside: boolean;
  serves: boolean;
}

/** A span that says which finding of the doctor concerns it. */
export interface Mark {
  finding: string;
  spanId: string;
  name: string;
}

const known = new WeakMap<Trace, Known>();

/** The line of a trace in the list; `findings` is added by who knows them. */
export function rowOf(trace: Trace): Omit<RequestRow, 'findings'> {
  return knownOf(trace).row;
}

/** Spans that carry the mark of a finding. */
export function marksOf(trace: Trace): readonly Mark[] {
  return knownOf(trace).marks;
}

/** Whether it is, as a recording says, the work of no request. */
export function isOutside(trace: Trace): boolean {
  return knownOf(trace).outside;
}

/** Whether a span in it answers a request or handles a message, whoever sent that. */
export function servesRequest(trace: Trace): boolean {
  return knownOf(trace).serves;
}

function knownOf(trace: Trace): Known {
  const before = known.get(trace);
  if (before?.version === trace.version) return before;
  const { version } = trace;
  const marks = trace.spans.flatMap((span) => {
    const finding = textOf(span, CONTEXT_LOSS);
    return finding === undefined ? [] : [{ finding, spanId: span.spanId, name: nameOf(span) }];
  });
  const root = trace.kinship.root?.of.span;
  const outside = root !== undefined && attributeOf(root, OUTSIDE) === true;
  const serves = trace.spans.some(({ kind }) => kind === 'SERVER' || kind === 'CONSUMER');
  const now = { version, row: makeRow(trace), marks, outside, serves };
  known.set(trace, now);
  return now;
}

function makeRow(trace: Trace): Known['row'] {
  const { kinship, adjusted } = trace;
  const root = kinship.root?.of;
  if (!root) throw new RangeError(`trace ${trace.traceId} has no spans`);
  const { span } = root;
  const [start, end] = extentOf(trace);
  const hasRoot = root.parentId === undefined;
  const parts = timePartsOf(span);
  const blockedBy = blockerOf(span);
  const path = pathOf(span);
  const statusCode = statusCodeOf(span);
  return {
    traceId: trace.traceId,
    name: nameOf(span),
    service: span.origin.service,
    kind: span.kind,
    ...(path === undefined ? {} : { path }),
    startMs: millisOf(span.startNanos),
    startNanos: String(span.startNanos),
    durationMs: hasRoot ? durationOf(span) : Number(end - start) / 1e6,
    ...(statusCode === undefined ? {} : { statusCode }),
    error: hasFailed(span),
    errorSpans: adjusted.filter((one) => hasFailed(one.span)).length,
    spans: trace.size,
    services: new Set(adjusted.map((one) => one.span.origin.service)).size,
    ...(parts ? { parts } : {}),
    ...(blockedBy ? { blockedBy } : {}),
    warnings: adjusted.reduce((sum, { warnings }) => sum + warnings.length, 0),
    incomplete: adjusted.some(({ isOrphan }) => isOrphan),
  };
}

/** From the first start to the last end of its spans, in nanoseconds since 1970. */
export function extentOf({ adjusted }: Trace): [start: bigint, end: bigint] {
  let [start, end] = [adjusted[0]?.span.startNanos ?? 0n, adjusted[0]?.endNanos ?? 0n];
  for (const { span, endNanos } of adjusted) {
    if (span.startNanos < start) start = span.startNanos;
    if (endNanos > end) end = endNanos;
  }
  return [start, end];
}
