import type { SpanView } from '../../viewer/trace-model.ts';

/** A line of the waterfall: a place in `TraceView.spans`. */
export type VisibleSpans = number[];

/** The spans that are not below a folded one, in their order. */
export function visibleSpans(
  spans: readonly SpanView[],
  folded: ReadonlySet<string>,
): VisibleSpans {
  const visible: number[] = [];
  for (let index = 0; index < spans.length; index++) {
    visible.push(index);
    const span = spans[index];
    if (span && folded.has(span.id)) index += span.descendants;
  }
  return visible;
}

/** The line that shows a span: its own, or that of the folded one above it. */
export function lineOf(visible: VisibleSpans, index: number): number {
  let low = 0;
  let high = visible.length - 1;
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if ((visible[middle] ?? 0) <= index) low = middle;
    else high = middle - 1;
  }
  return low;
}

/** Whether something about it wants to be read. */
export function wantsAttention({ status, warnings, findings }: SpanView): boolean {
  return status.code === 'ERROR' || warnings.length > 0 || findings.length > 0;
}
