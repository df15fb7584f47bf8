import { nameOf } from './span.ts';
import type { AdjustedSpan } from './adjust.ts';

/*
 * The tree of a trace, of spans whose parents may be missing, twice there, or in a circle. Every span
 * has one place in it. Nothing here recurses: a trace may be a chain of ten thousand spans.
 */

export interface Placed {
  readonly of: AdjustedSpan;
  readonly parent: Placed | undefined;
  readonly depth: number;
  /** In the order of their start. */
  readonly children: Placed[];
  /** How many are below this one. */
  descendants: number;
}

export class Kinship {
  /** Depth first, siblings in the order of their start. */
  readonly order: readonly Placed[];
  /** Spans without a parent, spans whose parent is missing, and one of each circle. */
  readonly tops: readonly Placed[];
  /** Spans that are their own ancestors. */
  readonly circular: number;

  constructor(spans: readonly AdjustedSpan[]) {
    const ids = new Set(spans.map(({ spanId }) => spanId));
    const children = new Map<string, AdjustedSpan[]>();
    const tops: AdjustedSpan[] = [];
    for (const span of spans.toSorted(byStart)) {
      const { parentId } = span;
      if (parentId === undefined || !ids.has(parentId)) tops.push(span);
      else if (children.has(parentId)) children.get(parentId)?.push(span);
      else children.set(parentId, [span]);
    }
    const order: Placed[] = [];
    const roots: Placed[] = [];
    const placed = new Set<AdjustedSpan>();
    const taken = new Set<string>();
    const place = (top: AdjustedSpan): void => {
      if (placed.has(top)) return;
      const ahead: [AdjustedSpan, Placed | undefined][] = [[top, undefined]];
      for (let next = ahead.pop(); next; next = ahead.pop()) {
        const [of, parent] = next;
        if (placed.has(of)) continue;
        placed.add(of);
        const one: Placed = {
          of,
          parent,
          depth: (parent?.depth ?? -1) + 1,
          children: [],
          descendants: 0,
        };
        order.push(one);
        if (parent) parent.children.push(one);
        else roots.push(one);
        // Of two spans with one id the first has the children.
        if (taken.has(of.spanId)) continue;
        taken.add(of.spanId);
        const below = children.get(of.spanId) ?? [];
        for (let i = below.length - 1; i >= 0; i--) ahead.push([below[i] as AdjustedSpan, one]);
      }
    };
    for (const top of tops) place(top);
    this.circular = spans.length - order.length;
    for (const span of spans) place(span);
    for (let i = order.length - 1; i >= 0; i--) {
      const { parent, descendants } = order[i] as Placed;
      if (parent) parent.descendants += descendants + 1;
    }
    this.order = order;
    this.tops = roots;
  }

  /** The span that stands for the trace: its first root, else its first span. */
  get root(): Placed | undefined {
    return this.tops.find(({ of }) => of.parentId === undefined) ?? this.tops[0];
  }

  /** Spans whose parent has not come: still under way, or lost. */
  get orphans(): Placed[] {
    return this.tops.filter(({ of }) => of.isOrphan);
  }
}

function byStart(a: AdjustedSpan, b: AdjustedSpan): number {
  const [first, second] = [a.span.startNanos, b.span.startNanos];
  return first < second ? -1 : first > second ? 1 : 0;
}

/**
 * What is wrong with the kinship in a trace that is expected to begin with one server request, or with a
 * message that is linked to its producer; one sentence each, none if all is well. A client span that is a root has lost its parent just as one
 * whose parent never came.
 */
export function kinshipFaults(kinship: Kinship): string[] {
  const faults = kinship.orphans.map(({ of }) => `${nameOf(of.span)}: its parent never arrived`);
  const roots = kinship.tops.filter(({ of }) => of.parentId === undefined);
  for (const { of } of roots) {
    const { kind, links } = of.span;
    const isMessage = kind === 'CONSUMER' && links.length > 0;
    if (kind !== 'SERVER' && !isMessage) faults.push(`${nameOf(of.span)}: it has no parent`);
  }
  if (roots.length > 1) faults.push(`${roots.length} roots in one trace`);
  return faults;
}
