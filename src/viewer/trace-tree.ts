import { styleText } from 'node:util';

import { plainText } from '../base/plain-text.ts';
import { LINK } from './attributes.ts';
import type { Placed } from './kinship.ts';
import { extentOf } from './request-row.ts';
import {
  attributeOf,
  durationOf,
  failureOf,
  hasFailed,
  nameOf,
  pathOf,
  statusCodeOf,
  type Span,
} from './span.ts';
import type { Trace } from './store.ts';
import { isSum } from './threads.ts';

export interface TraceTreeOptions {
  /** Columns of the terminal; a line is never longer. */
  width: number;
  color: boolean;
  /** Draw when each span ran, beside its name. */
  bars?: boolean;
  /** Begin each line with the first digits of its span's id. */
  ids?: boolean;
  /** Leave out what sums up the async resources of a request. */
  withoutSums?: boolean;
  /** Lines beyond these are counted in the last one. */
  maxLines?: number;
}

interface Layout extends TraceTreeOptions {
  start: bigint;
  end: bigint;
  /** Columns of names, and of bars. */
  names: number;
  barColumns: number;
}

const DURATION = 10;
const STATUS = 12;
/** As many digits of an id as are shown, and the blanks behind them. */
const [ID_DIGITS, ID] = [8, 10];
/** Columns of names and bars below which there are no bars. */
const MIN_ROOM = 36;
/** Links of a span that are shown; the rest is counted. */
const MAX_LINKS = 3;
const TOLD_ELSEWHERE: ReadonlySet<string> = new Set(['blocked_by', 'created_by', 'triggered_by']);
/** Deeper levels are drawn at this one, so that there is room for a name. */
const MAX_INDENT = 10;

/** A trace as lines for a terminal: a tree of names, bars, durations and status. */
export function renderTrace(trace: Trace, options: TraceTreeOptions): string[] {
  const [start, end] = extentOf(trace);
  const room = options.width - DURATION - STATUS - 2 - (options.ids === true ? ID : 0);
  // A narrow terminal has room for names, and for nothing else.
  const barColumns =
    options.bars === true && room >= MIN_ROOM ? Math.min(30, Math.floor(room * 0.4)) : 0;
  const names = room - (barColumns > 0 ? barColumns + 1 : 0);
  const layout: Layout = { ...options, start, end, names, barColumns };
  const { maxLines = Infinity } = options;
  const all = trace.kinship.order;
  const order = options.withoutSums === true ? all.filter(({ of }) => !isSum(of.span)) : all;
  const shown = order.length > maxLines ? order.slice(0, maxLines - 1) : order;
  const lines = shown.flatMap((placed) => [
    renderSpan(placed, layout),
    ...renderReason(placed, layout),
    ...renderLinks(placed, layout),
  ]);
  if (shown.length < order.length) lines.push(`… and ${order.length - shown.length} more spans`);
  return lines;
}

/** The lines of the tree that lead to a span. */
function prefixOf(placed: Placed): string {
  const { parent } = placed;
  if (!parent) return '';
  let prefix = isLast(placed) ? '└─ ' : '├─ ';
  for (let above: Placed = parent, level = 1; above.parent; above = above.parent, level++) {
    if (level === MAX_INDENT) return `… ${prefix}`;
    prefix = (isLast(above) ? '   ' : '│  ') + prefix;
  }
  return prefix;
}

function isLast(placed: Placed): boolean {
  return placed.parent?.children.at(-1) === placed;
}

function renderSpan(placed: Placed, layout: Layout): string {
  const { span } = placed.of;
  const duration = `${durationOf(span).toFixed(1)} ms`.padStart(DURATION);
  const code = statusCodeOf(span);
  const word = hasFailed(span) ? 'ERROR' : 'ok';
  const status = (code ? `${word} ${plainText(code)}` : word).slice(0, STATUS);
  const id = layout.ids === true ? placed.of.spanId.slice(0, ID_DIGITS).padEnd(ID) : '';
  const name = id + fit(prefixOf(placed) + plainText(labelOf(span)), layout.names);
  const bar = layout.barColumns > 0 ? `${barOf(placed, layout)} ` : '';
  if (!layout.color) return `${name}${bar}${duration}  ${status}`.trimEnd();
  const paint = hasFailed(span) ? 'red' : 'green';
  const painted = bar === '' ? '' : styleText(hasFailed(span) ? 'red' : 'cyan', bar);
  return `${name}${painted}${styleText('dim', duration)}  ${styleText(paint, status)}`;
}

/** Why a span failed, below it, unless a span below it tells the same. */
function renderReason(placed: Placed, layout: Layout): string[] {
  const reason = failureOf(placed.of.span);
  if (reason === undefined) return [];
  const below = placed.children.map(({ of }) => failureOf(of.span));
  if (below.some((one) => one !== undefined && reason.includes(one))) return [];
  return [renderBelow(placed, layout, plainText(reason), 'red')];
}

/**
 * The spans that a span is linked to, below it. Who held the loop, and how async resources hang
 * together, is told elsewhere.
 */
function renderLinks(placed: Placed, layout: Layout): string[] {
  const links = placed.of.span.links.filter((link) => {
    const relation = attributeOf(link, LINK);
    return typeof relation !== 'string' || !TOLD_ELSEWHERE.has(relation);
  });
  const texts = links.slice(0, MAX_LINKS).map((link) => {
    const relation = attributeOf(link, LINK);
    const why = typeof relation === 'string' ? ` (${plainText(relation)})` : '';
    const trace = link.traceId.slice(0, ID_DIGITS);
    return `linked to trace ${trace}, span ${link.spanId.slice(0, ID_DIGITS)}${why}`;
  });
  if (links.length > MAX_LINKS) texts.push(`and to ${links.length - MAX_LINKS} more`);
  return texts.map((text) => renderBelow(placed, layout, text, 'dim'));
}

/** A line of text below a span, within the lines of the tree. */
function renderBelow(
  placed: Placed,
  { width, color, ids }: Layout,
  text: string,
  paint: 'red' | 'dim',
): string {
  const indent = ids === true ? ' '.repeat(ID) : '';
  const above = prefixOf(placed).replace('├─ ', '│  ').replace('└─ ', '   ');
  const line = `${indent}${above}${placed.children.length > 0 ? '│' : ' '}  `;
  const shown = fit(text, width - line.length).trimEnd();
  return line + (color ? styleText(paint, shown) : shown);
}

/** The name, and the path beside it as in the list: a name holds only what is low in cardinality. */
function labelOf(span: Span): string {
  const path = pathOf(span);
  return path === undefined ? nameOf(span) : `${nameOf(span)}  ${path}`;
}

/** When the span ran, within the time of the trace; never empty. */
function barOf({ of }: Placed, { start, end, barColumns }: Layout): string {
  const length = Number(end - start) || 1;
  const column = (nanos: bigint): number => (Number(nanos - start) / length) * barColumns;
  const from = Math.min(Math.floor(column(of.span.startNanos)), barColumns - 1);
  const to = Math.max(from + 1, Math.ceil(column(of.endNanos) - 0.001));
  return `${' '.repeat(from)}${'━'.repeat(to - from)}`.slice(0, barColumns).padEnd(barColumns);
}

function fit(text: string, width: number): string {
  return text.length > width ? `${text.slice(0, Math.max(0, width - 1))}…` : text.padEnd(width);
}
