import type { RequestRow, SpanKind } from './model.ts';
import type { SpanView, TraceView } from './trace-model.ts';

/*
 * A trace for programs with little room: its shape first, so that they can ask for the span they want
 * to see. Spans of one name below one group of spans are one node; the nodes that took longest stay.
 */

export interface OutlineNode {
  name: string;
  kind: SpanKind;
  service: string;
  /** How many spans it stands for. */
  count: number;
  /** The sum of their times, and of the times without children. */
  totalMs: number;
  selfMs: number;
  /** Those that failed. */
  errors?: number;
  /** Microseconds of the critical path that run through them, as milliseconds. */
  criticalMs?: number;
  /** The slowest of them. */
  slowest: string;
  children?: OutlineNode[];
  /** Nodes below that did not fit. */
  omitted?: number;
}

export interface Outline {
  $schema: string;
  kind: 'trace';
  request: RequestRow;
  /** Groups of spans, the tops of the trace. */
  tree: OutlineNode[];
  /** Of nodes that are not shown because there was no room. */
  nodesOmitted: number;
  /** The first of them; spans carry their own. */
  warnings: string[];
  findings: { name: string; summary: string; place?: string }[];
  /** How to see more. */
  next: string;
}

const MAX_TEXT = 120;
/** About what a node takes as JSON. */
const NODE_BYTES = 200;

interface Group {
  key: string;
  node: OutlineNode;
  spans: SpanView[];
  groups: Map<string, Group>;
  parent: Group | undefined;
}

/** The shape of a trace in less than `maxBytes` of JSON. */
export function outlineOf(view: TraceView, maxBytes = 8000): Outline {
  const top = groupSpans(view.spans);
  const warnings = [...new Set([...view.warnings, ...view.spans.flatMap((span) => span.warnings)])];
  const base: Outline = {
    $schema: 'clew/clew.output.schema.json',
    kind: 'trace',
    request: boundedRow(view.request),
    tree: [],
    nodesOmitted: 0,
    warnings: warnings.slice(0, 5).map((warning) => shortened(warning, 200)),
    findings: view.findings.slice(0, 5).map(({ name, summary, place }) => ({
      name,
      summary: shortened(summary),
      ...(place ? { place: shortened(`${place.file}:${place.line}`) } : {}),
    })),
    next: 'Ask for one span by its id: clew show --trace TRACE --span ID',
  };
  let room = maxBytes - JSON.stringify(base).length - 200;
  // The longest first, and none before its parent.
  const waiting = [...top.groups.values()];
  let shown = 0;
  while (waiting.length > 0) {
    let longest = 0;
    for (let i = 1; i < waiting.length; i++) {
      if (weight(waiting[i] as Group) > weight(waiting[longest] as Group)) longest = i;
    }
    const [group] = waiting.splice(longest, 1) as [Group];
    const bytes = Math.max(NODE_BYTES, JSON.stringify(group.node).length + 40);
    if (bytes > room) {
      waiting.push(group);
      break;
    }
    room -= bytes;
    shown += 1;
    const siblings = group.parent === top ? base.tree : (group.parent as Group).node.children;
    if (siblings) siblings.push(group.node);
    else (group.parent as Group).node.children = [group.node];
    waiting.push(...group.groups.values());
  }
  for (const { parent } of waiting) {
    if (parent && parent !== top) parent.node.omitted = (parent.node.omitted ?? 0) + 1;
  }
  base.nodesOmitted = countGroups(top) - shown;
  return base;
}

function groupSpans(spans: readonly SpanView[]): Group {
  const top = newGroup('', undefined, undefined);
  const path: Group[] = [];
  const selfTimes = selfTimesOf(spans);
  spans.forEach((span, index) => {
    const parent = path[span.depth - 1] ?? top;
    const key = JSON.stringify([span.name, span.kind, span.service]);
    let group = parent.groups.get(key);
    if (!group) parent.groups.set(key, (group = newGroup(key, span, parent)));
    addSpan(group, span, selfTimes[index] ?? 0);
    path[span.depth] = group;
    path.length = span.depth + 1;
  });
  return top;
}

function newGroup(key: string, span: SpanView | undefined, parent: Group | undefined): Group {
  const { name = '', kind = 'INTERNAL', service = '', id = '' } = span ?? {};
  const node: OutlineNode = {
    name: shortened(name),
    kind,
    service: shortened(service),
    count: 0,
    totalMs: 0,
    selfMs: 0,
    slowest: id,
  };
  return { key, node, spans: [], groups: new Map(), parent };
}

function addSpan({ node, spans }: Group, span: SpanView, selfMs: number): void {
  const slowest = spans[0];
  // Only the slowest is needed.
  if (!slowest || lengthOf(span) > lengthOf(slowest)) {
    spans[0] = span;
    node.slowest = span.id;
  }
  node.count += 1;
  node.totalMs = rounded(node.totalMs + lengthOf(span));
  node.selfMs = rounded(node.selfMs + selfMs);
  if (span.status.code === 'ERROR') node.errors = (node.errors ?? 0) + 1;
  const critical = span.critical.reduce((sum, [start, end]) => sum + end - start, 0) / 1e3;
  if (critical > 0) node.criticalMs = rounded((node.criticalMs ?? 0) + critical);
}

/** The time of each span that no child covers, in milliseconds; spans are depth first. */
function selfTimesOf(spans: readonly SpanView[]): number[] {
  const covered: [sum: number, until: number][] = [];
  const path: number[] = [];
  const self = spans.map(lengthOf);
  spans.forEach((span, index) => {
    path.length = span.depth;
    const above = path.at(-1);
    path.push(index);
    covered.push([0, -Infinity]);
    if (above === undefined) return;
    const parent = spans[above] as SpanView;
    const place = covered[above] as [number, number];
    const from = Math.max(span.start, parent.start, place[1]);
    const to = Math.min(span.end, parent.end);
    if (to <= from) return;
    place[0] += to - from;
    place[1] = to;
  });
  return self.map((length, index) => Math.max(0, length - (covered[index]?.[0] ?? 0) / 1e3));
}

function countGroups(top: Group): number {
  let count = -1;
  const ahead = [top];
  for (let group = ahead.pop(); group; group = ahead.pop()) {
    count += 1;
    ahead.push(...group.groups.values());
  }
  return count;
}

/** A request's line with texts of a bounded length. */
export function boundedRow(row: RequestRow): RequestRow {
  const { blockedBy } = row;
  return {
    ...row,
    name: shortened(row.name),
    service: shortened(row.service),
    ...(row.path === undefined ? {} : { path: shortened(row.path) }),
    ...(row.statusCode === undefined ? {} : { statusCode: shortened(row.statusCode, 30) }),
    ...(blockedBy ? { blockedBy: { ...blockedBy, name: shortened(blockedBy.name) } } : {}),
  };
}

export function shortened(text: string, length: number = MAX_TEXT): string {
  return text.length > length ? `${text.slice(0, length - 1)}…` : text;
}

function weight({ node }: Group): number {
  return node.totalMs + (node.errors ?? 0) * 1e6;
}

function lengthOf({ start, end }: SpanView): number {
  return (end - start) / 1e3;
}

export function rounded(millis: number): number {
  return Math.round(millis * 1e3) / 1e3;
}
