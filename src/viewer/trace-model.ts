import type {
  Attribute,
  Blocker,
  FindingView,
  PendingView,
  PlaceView,
  RequestRow,
  SpanKind,
  Summary,
  TimeParts,
} from './model.ts';

/*
 * One trace, in the contract between the viewer's server and its page; `model.ts` has the rest of it,
 * and its units.
 */

/** A trace, whole. */
export interface TraceView {
  traceId: string;
  /** The line that it is in the list. */
  request: RequestRow;
  /** Of the whole trace, from its first start to its last end, in microseconds. */
  duration: number;
  /** `SpanView.resource` is a place in here. */
  resources: ResourceView[];
  /** `SpanView.scope` is a place in here. */
  scopes: ScopeView[];
  /**
   * In the order of a waterfall: each span is followed by its descendants, siblings in the order of
   * their start. Roots and spans whose parent is missing stand at depth 0.
   */
  spans: SpanView[];
  /** Spans beyond the bound of one trace, which were not kept. */
  spansDropped: number;
  /** Warnings that belong to no span. */
  warnings: string[];
  /** What the doctor knows of spans of this trace. */
  findings: FindingView[];
  threads: ThreadView;
  /** Absent where no other trace has a root of this name and service. */
  typical?: Typical;
}

export interface ResourceView {
  service: string;
  attributes: Attribute[];
}

export interface ScopeView {
  name: string;
  version?: string;
}

export interface SpanView {
  id: string;
  /** As it was sent, whether that span is here or not; absent: a root. */
  parentId?: string;
  /** Levels below the top of the waterfall. */
  depth: number;
  /** How many of the spans that follow are below this one. */
  descendants: number;
  name: string;
  kind: SpanKind;
  service: string;
  start: number;
  end: number;
  /** As sent where the times are usable: a span whose end is before its start has a warning. */
  status: { code: 'UNSET' | 'OK' | 'ERROR'; message?: string };
  attributes: Attribute[];
  /** In the order of their time. */
  events: EventView[];
  links: LinkView[];
  resource: number;
  scope: number;
  /** Jaeger's sentences: clock skew, missing parent, duplicate, negative duration. */
  warnings: string[];
  /** Places in `TraceView.findings`. */
  findings: number[];
  /** Where the critical path of the trace runs through this span itself, and not a child of it. */
  critical: Interval[];
  parts?: TimeParts;
  blockedBy?: Blocker;
  /** Attributes, events and links that the application's limits dropped before they were sent. */
  dropped?: { attributes?: number; events?: number; links?: number };
}

export type Interval = [start: number, end: number];

export interface EventView {
  name: string;
  at: number;
  attributes: Attribute[];
  /** Of an event `exception`. */
  exception?: { type?: string; message?: string; stack?: string };
}

export interface LinkView {
  traceId: string;
  spanId: string;
  attributes: Attribute[];
  /** `blocked_by`, `created_by`, `triggered_by`, `request`: what `clew.link` says. */
  relation?: string;
  /** Whether that span is in the store, so that it can be opened. */
  known: boolean;
}

/** Groups of async resources of one request, each a line from its trigger to its children. */
export interface ThreadView {
  /**
   * `recording`: every callback was recorded, and times are exact. `spans`: made of the spans of
   * async resources and operations. `none`: the trace has no such spans, and `threads` is empty.
   */
  source: 'recording' | 'spans' | 'none';
  /** A trigger before what it triggered. */
  threads: Thread[];
  /** Groups beyond the bound of 1000; the longest are kept. */
  omitted: number;
}

export interface Thread {
  /** The asyncId, or a number of its own where that is not known; unique in the trace. */
  id: number;
  /** The thread whose work triggered this one; absent: the request itself, or its trigger is lost. */
  trigger?: number;
  /** The thread in whose callback it was created, where that is another one. */
  createdBy?: number;
  /** Low in cardinality: `dns lookup`, `timer`, `SELECT products`. */
  name: string;
  /** `TCPCONNECTWRAP`, `PG_QUERY`; absent where only a span is known. */
  type?: string;
  /** A host, a delay, a statement. */
  description?: string;
  /** The span that shows it in the waterfall. */
  spanId?: string;
  start: number;
  end: number;
  /** Its callbacks, in order and apart; of `spans` they may be unknown although `runningMs` is not. */
  running: Interval[];
  runningMs: number;
  /** Where it was ready and waited for the loop. */
  gaps: ThreadGap[];
  /** Async resources (promises, ticks) that are counted in this one. */
  folded: number;
  /** `file:line` that created it, where stacks were recorded. */
  createdAt?: string;
  /** The thread is lost here: what follows ran without the request's context. */
  lost?: LostMark;
}

export interface ThreadGap {
  start: number;
  end: number;
  /** Who held the loop; absent: unknown. */
  blocker?: Blocker;
  /** Only the length was measured; it is drawn where it can have been. */
  estimated: boolean;
}

export interface LostMark {
  at: number;
  /** Name of the finding. */
  finding: string;
  /** The application's line, where the doctor knows it. */
  place?: PlaceView;
}

/** The typical request of the same root name and service: medians over `requests` of them. */
export interface Typical {
  name: string;
  service: string;
  /** How many others it is made of; the newest 200 at most. */
  requests: number;
  durationMs: number;
  parts?: TimeParts;
  /** The greatest difference in time first; at most 50. */
  operations: TypicalOperation[];
}

/** The spans of one name and kind within one request, the sum of their own times. */
export interface TypicalOperation {
  name: string;
  kind: SpanKind;
  service: string;
  /** In this request. */
  here: OperationTime;
  /** Medians over the others; zeros where it is not typical. */
  typical: OperationTime;
  /** What this request lost here against the typical one; negative: won. */
  lostMs: number;
}

export interface OperationTime {
  count: number;
  /** From start to end; overlaps count once. */
  totalMs: number;
  /** Without the time in child spans. */
  selfMs: number;
}

/** What is inside a self-contained HTML file. */
export interface Exported {
  contract: 1;
  summary: Summary;
  requests: RequestRow[];
  traces: TraceView[];
  pending: PendingView;
  findings: FindingView[];
  /** Traces that the bound of the file left out. */
  omitted: number;
}
