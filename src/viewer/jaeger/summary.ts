import type { Trace } from '../store.ts';

interface ServiceSummary {
  name: string;
  spanCount: number;
  errorSpanCount: number;
}

/**
 * A trace as a line of the search of Jaeger's page from 2.19 on: `TraceSummary` of its API v3. The id
 * has both of the names that its versions read.
 */
export function jaegerSummary({ traceId, adjusted, kinship }: Trace): object {
  const services = new Map<string, ServiceSummary>();
  let [start, end, errors] = [adjusted[0]?.span.startNanos ?? 0n, 0n, 0];
  for (const { span, endNanos } of adjusted) {
    if (span.startNanos < start) start = span.startNanos;
    if (endNanos > end) end = endNanos;
    const { service: name } = span.origin;
    const sum = services.get(name) ?? { name, spanCount: 0, errorSpanCount: 0 };
    services.set(name, sum);
    sum.spanCount += 1;
    if (span.status.code !== 'ERROR') continue;
    sum.errorSpanCount += 1;
    errors += 1;
  }
  const root = kinship.root?.of.span;
  return {
    traceId,
    traceID: traceId,
    rootServiceName: root?.origin.service ?? '',
    rootOperationName: root?.name ?? '',
    minStartTimeUnixNano: String(start),
    maxEndTimeUnixNano: String(end),
    spanCount: adjusted.length,
    errorSpanCount: errors,
    orphanSpanCount: kinship.orphans.length,
    services: [...services.values()].sort((a, b) => (a.name < b.name ? -1 : 1)),
  };
}
