import { goDuration, goTime } from './go-format.ts';
import type { Origin, Span } from './span.ts';

/*
 * What Jaeger does to a trace when it is asked for it, so that both show the same spans, parents and
 * warnings (cmd/query/app/querysvc in Jaeger's sources): the end of a span is put after its start,
 * server spans that share their id with a client span get one of their own, and warnings tell of
 * duplicate ids, missing parents, and children that do not fit into a parent on another clock.
 * Times are not moved: Jaeger's own default is not to.
 */

/** A span with what was found out about it. */
export interface AdjustedSpan {
  readonly span: Span;
  /** The span's own, or a new one where it shared it. */
  readonly spanId: string;
  readonly parentId: string | undefined;
  /** In nanoseconds since 1970, after the start. */
  readonly endNanos: bigint;
  /** Jaeger's sentences. */
  readonly warnings: string[];
  /** The parent is not among the spans. */
  isOrphan: boolean;
}

const DUPLICATE = 'duplicate span IDs; skipping clock skew adjustment';
/** At the beginning of the warning about a parent that never came. */
export const INVALID_PARENT = 'invalid parent span IDs=';

/** The same spans in the same order, one for each. */
export function adjust(spans: readonly Span[]): AdjustedSpan[] {
  const adjusted = ownIds(spans).map(({ span, spanId, parentId }) => {
    const isNegative = span.endNanos <= span.startNanos;
    const endNanos = isNegative ? span.startNanos + 1n : span.endNanos;
    const warnings = isNegative
      ? [
          'Negative duration detected, sanitizing end timestamp. Original end timestamp: ' +
            `${goTime(span.endNanos)}, adjusted to: ${goTime(endNanos)}`,
        ]
      : [];
    if (span.links.some(({ traceId }) => traceId === ''))
      warnings.push('Invalid span link removed');
    return { span, spanId, parentId, endNanos, warnings, isOrphan: false };
  });
  checkParents(adjusted);
  return adjusted;
}

interface Identified {
  span: Span;
  spanId: string;
  parentId: string | undefined;
}

/** Zipkin's clients and servers share a span id: the server's span becomes the client span's child. */
function ownIds(spans: readonly Span[]): Identified[] {
  const taken = new Set(spans.map(({ spanId }) => spanId));
  const clients = new Set(
    spans.filter(({ kind }) => kind === 'CLIENT').map(({ spanId }) => spanId),
  );
  const renamed = new Map<string, string>();
  let last = 0n;
  const identified: Identified[] = spans.map((span) => {
    const { spanId, parentId, kind } = span;
    if (kind !== 'SERVER' || !clients.has(spanId)) return { span, spanId, parentId };
    let fresh: string;
    do fresh = (++last).toString(16).padStart(16, '0');
    while (taken.has(fresh));
    renamed.set(spanId, fresh);
    return { span, spanId: fresh, parentId: spanId };
  });
  if (renamed.size === 0) return identified;
  return identified.map(({ span, spanId, parentId }) => {
    const server = parentId === undefined ? undefined : renamed.get(parentId);
    return {
      span,
      spanId,
      parentId: server !== undefined && server !== spanId ? server : parentId,
    };
  });
}

interface Node {
  readonly of: AdjustedSpan;
  readonly host: string;
  readonly children: Node[];
}

interface Skew {
  readonly delta: bigint;
  readonly host: string;
}

function checkParents(spans: readonly AdjustedSpan[]): void {
  const nodes = new Map<string, Node>();
  for (const of of spans) {
    if (nodes.has(of.spanId)) of.warnings.push(DUPLICATE);
    else nodes.set(of.spanId, { of, host: hostOf(of.span.origin), children: [] });
  }
  const tops: Node[] = [];
  for (const node of nodes.values()) {
    const { of } = node;
    if (of.parentId === undefined) {
      tops.push(node);
      continue;
    }
    const parent = nodes.get(of.parentId);
    if (parent) parent.children.push(node);
    else {
      of.warnings.push(`${INVALID_PARENT}${of.parentId}; skipping clock skew adjustment`);
      of.isOrphan = true;
      tops.push(node);
    }
  }
  // Spans whose parents form a circle hang from no top: they are left as they are.
  const ahead: [Node, Node | undefined, Skew][] = tops.map((node) => [
    node,
    undefined,
    { delta: 0n, host: node.host },
  ]);
  for (let next = ahead.pop(); next; next = ahead.pop()) {
    const [node, parent, inherited] = next;
    const isForeign = parent !== undefined && (node.host !== inherited.host || node.host === '');
    const skew = isForeign ? { host: node.host, delta: deltaOf(node.of, parent.of) } : inherited;
    if (skew.delta !== 0n) {
      const text = `not applying calculated delta of ${goDuration(skew.delta)}`;
      node.of.warnings.push(`clock skew adjustment disabled; ${text}`);
    }
    for (const child of node.children) ahead.push([child, node, skew]);
  }
}

/** What would have to be added to the child's times for it to fit into its parent. */
function deltaOf(child: AdjustedSpan, parent: AdjustedSpan): bigint {
  const { startNanos: childStart } = child.span;
  const { startNanos: parentStart } = parent.span;
  const childLength = child.endNanos - childStart;
  const parentLength = parent.endNanos - parentStart;
  if (childLength > parentLength) return childStart < parentStart ? parentStart - childStart : 0n;
  if (childStart >= parentStart && child.endNanos <= parent.endNanos) return 0n;
  return parentStart + (parentLength - childLength) / 2n - childStart;
}

/** Spans of one host have one clock. Without a host every span counts as another's. */
function hostOf({ resource }: Origin): string {
  for (const key of ['host.id', 'host.ip', 'host.name', 'ip']) {
    const value = resource.find(([name]) => name === key)?.[1];
    const first = Array.isArray(value) ? value[0] : value;
    if (first !== undefined) return typeof first === 'string' ? first : JSON.stringify(first);
  }
  return '';
}
