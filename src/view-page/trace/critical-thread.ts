import type { SpanView } from '../../viewer/trace-model.ts';
import type { Scale } from '../base/scale.ts';
import { lineOf, type VisibleSpans } from './span-tree.ts';

/*
 * The critical path as one thread: along each span while it is what the trace waits for, and down
 * or up to the next one where that takes over.
 */

const CORNER = 4;

interface Piece {
  /** The line that shows its span. */
  line: number;
  start: number;
  end: number;
}

/** The pieces of the path in the order of time, on the lines that are visible. */
export function criticalPieces(spans: readonly SpanView[], visible: VisibleSpans): Piece[] {
  return spans
    .flatMap(({ critical }, index) =>
      critical.map(([start, end]) => ({ line: lineOf(visible, index), start, end })),
    )
    .sort((a, b) => a.start - b.start || a.end - b.end);
}

/** The path's drawing for the lines `from` to `to`; y begins at line `from`. */
export function threadPath(
  pieces: readonly Piece[],
  x: Scale,
  window: { from: number; to: number; rowHeight: number; offset: number },
): string {
  const { from, to, rowHeight, offset } = window;
  const path: string[] = [];
  let last: { line: number; r: number } | undefined;
  for (const { line, start, end } of pieces) {
    const y = (at: number) => (at - from) * rowHeight + offset;
    // A piece that is shorter than its corners has none.
    const r = Math.min(CORNER, (x(end) - x(start)) / 2);
    if (last && last.line !== line && crosses(last.line, line, from, to)) {
      path.push(bend(x(start), y(last.line), y(line), Math.min(r, last.r)));
    }
    if (line >= from && line < to) {
      path.push(`M${(x(start) + r).toFixed(1)} ${y(line)}H${(x(end) - r).toFixed(1)}`);
    }
    last = { line, r };
  }
  return path.join('');
}

/** Down or up at `x`, from one line to another, with round corners. */
export function bend(x: number, y1: number, y2: number, radius: number): string {
  const r = Math.min(radius, Math.abs(y2 - y1) / 2);
  const down = Math.sign(y2 - y1) * r;
  const at = (value: number) => value.toFixed(1);
  return (
    `M${at(x - r)} ${y1}Q${at(x)} ${y1} ${at(x)} ${y1 + down}` +
    `V${y2 - down}Q${at(x)} ${y2} ${at(x + r)} ${y2}`
  );
}

function crosses(a: number, b: number, from: number, to: number): boolean {
  return Math.min(a, b) < to && Math.max(a, b) >= from;
}
