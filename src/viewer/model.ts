/*
 * The contract between the viewer's server and its page, `clew show --json` and `clew mcp`: plain
 * JSON, types only.
 *
 * The server answers these below `/clew/`; everything below `/api/` is Jaeger's query API.
 *
 *   GET  /clew/summary                    Summary
 *   GET  /clew/requests?...               RequestList; parameters: RequestQuery
 *   GET  /clew/traces/:traceId            TraceView
 *   GET  /clew/pending?from&to&buckets    PendingView
 *   GET  /clew/findings                   FindingList
 *   GET  /clew/live                       server-sent events: LiveEvents
 *   POST /clew/files                      a dropped file, as its bytes; answers FileAdded
 *   GET  /clew/html                       the one self-contained HTML file, as a download
 *
 * Anything but a 2xx answer has the body ApiError. All of it is same-origin.
 *
 * An HTML file made by `clew view --html` has no server. It holds an Exported as JSON in
 * `<script type="application/json" id="clew-data">`: where that element is, the page reads from it
 * and asks for nothing.
 *
 * Names, attribute keys and values, messages and stacks come from applications and are hostile:
 * render them as text.
 *
 * Units: a name that ends in `Ms` is in milliseconds. `start`, `end`, `at` of a trace's parts are
 * microseconds since the trace's start, whole or with a fraction. Trace ids are 32 and span ids 16
 * lower-case hexadecimal digits.
 */

/** The body of an answer that is none. */
export interface ApiError {
  error: {
    /**
     * Stable: `ERR_OPTION`, `ERR_NOT_FOUND`, `ERR_TOO_LARGE`, `ERR_FORBIDDEN`, `ERR_UNAVAILABLE`,
     * `ERR_INTERNAL`.
     */
    code: string;
    /** A sentence for a person: what failed, and what to do. */
    message: string;
  };
}

/** What the viewer holds. */
export interface Summary {
  /** Raised when a field changes its meaning or goes; new fields do not raise it. */
  contract: 1;
  /** Of clew. */
  version: string;
  source: {
    /** `live`: spans arrive; `file`: what was read is all there is. */
    kind: 'live' | 'file';
    /** The file's name without its folder, or where the receiver listens (`http://127.0.0.1:4318`). */
    name: string;
  };
  /** In alphabetical order. */
  services: ServiceSummary[];
  traces: number;
  /** Of the traces, those that are outside of any request. */
  outside: number;
  spans: number;
  findings: number;
  /** What the bounds let go or a sender's data did not allow to keep. */
  dropped: {
    /** The oldest traces, to make room. */
    traces: number;
    spans: number;
    /** Export requests or files that could not be read; `lastReason` is the sentence of the last. */
    refused: number;
    lastReason?: string;
  };
  /** From the first span's start to the last one's end, in milliseconds since 1970; absent: no spans. */
  rangeMs?: [from: number, to: number];
  /** Where spans are handed on to (an origin such as `http://127.0.0.1:4319`), absent: nowhere. */
  forwardsTo?: string;
}

export interface ServiceSummary {
  name: string;
  /** Names of its spans, in alphabetical order; at most 500. */
  operations: string[];
}

/** The parameters of `/clew/requests`; each narrows the list, and all are optional. */
export interface RequestQuery {
  /** Any span of the trace is of this service. */
  service?: string;
  /** Any span of the trace has this name. */
  operation?: string;
  /** `key=value`, or `key` alone; any span, its resource counted in. May be given more than once. */
  attribute?: string;
  /** Bounds of the whole request's duration in milliseconds, both included. */
  minDuration?: string;
  maxDuration?: string;
  /** `true`: only those that failed; `false`: only those that did not. */
  error?: 'true' | 'false';
  /** Case-insensitive text in a name, service, attribute value, event or status of any span. */
  q?: string;
  /** Only requests that overlap this time, in milliseconds since 1970. */
  from?: string;
  to?: string;
  /** `false`: without those that are outside of any request, unless nothing else matches. */
  outside?: 'true' | 'false';
  /** `newest` (default), `slowest`. */
  sort?: 'newest' | 'slowest';
  /** 1 to 1000, default 100. */
  limit?: string;
  /** The `next` of the list before: goes on where that ended. */
  before?: string;
}

/** Newest first, unless asked for otherwise. */
export interface RequestList {
  requests: RequestRow[];
  /** How many match in all. */
  total: number;
  /** How many match besides, and were left out as they are outside of any request. */
  outside?: number;
  /** Pass as `before` to go on; absent: this is the end. */
  next?: string;
}

/** The three parts of a time, in milliseconds; they add up to the duration. */
export interface TimeParts {
  runningMs: number;
  ioMs: number;
  /** Ready to run, while others held the event loop. */
  loopMs: number;
}

/** One trace as a line of the list. */
export interface RequestRow {
  traceId: string;
  /** The root span's name; of a trace without a root, that of its first span. */
  name: string;
  /** The service of that span. */
  service: string;
  /** That span's kind. */
  kind: SpanKind;
  /** Its path, of an outgoing one with its host, where an attribute gives it and the name does not. */
  path?: string;
  /** Milliseconds since 1970, with a fraction. */
  startMs: number;
  /** Nanoseconds since 1970, decimal: what a number cannot hold. */
  startNanos: string;
  /** The root span's, or from the first start to the last end where there is no root. */
  durationMs: number;
  /** HTTP or gRPC status code, or the database's, of the root span. */
  statusCode?: string;
  /** The root span failed. */
  error: boolean;
  /** Spans with an error status, the root included. */
  errorSpans: number;
  spans: number;
  services: number;
  /** Absent where the application does not measure them (no tracer, another library). */
  parts?: TimeParts;
  /** Who held the loop longest while this request was ready, and for how long. */
  blockedBy?: Blocker;
  warnings: number;
  findings: number;
  /** A parent is missing: still under way, or lost. */
  incomplete: boolean;
  /** No request, but an operation outside of any, such as a query at the application's start. */
  outside?: true;
}

export interface Blocker {
  /** A request (`GET /report/:id`) or a callback (`Timeout (tick, every 10 ms)`). */
  name: string;
  ms: number;
  /** The request that held the loop, where it is sampled; it may be gone from the store. */
  traceId?: string;
  spanId?: string;
}

export type SpanKind = 'UNSPECIFIED' | 'INTERNAL' | 'SERVER' | 'CLIENT' | 'PRODUCER' | 'CONSUMER';

/**
 * An attribute. Arrays and maps keep their structure, bytes are base64, and 64-bit integers that a
 * number cannot hold are decimal strings. A text beyond 16 KiB is cut and ends in `… (N characters)`.
 */
export type Attribute = [key: string, value: AttributeValue];
export type AttributeValue =
  string | number | boolean | null | AttributeValue[] | { [key: string]: AttributeValue };

export interface PlaceView {
  file: string;
  line: number;
  column?: number;
  function?: string;
  /** The text of the line. */
  code?: string;
}

/** What the doctor found: a report that was read, or marks that spans carry. */
export interface FindingView {
  /** `CLEW-LOST-QUEUE`; the docs have a section of this name. */
  name: string;
  kind: 'lost' | 'mixed' | 'stale' | 'batched' | 'inactive' | 'setup';
  /** One sentence. */
  summary: string;
  certainty?: 'proven' | 'likely' | 'possible';
  /** How often it occurred. */
  count: number;
  /** The request whose work it is. */
  owner?: string;
  /** The application's line whose work lost its parent. */
  place?: PlaceView;
  /** The line that kept the callback and called it later. */
  handOver?: PlaceView & { package?: string };
  fix?: {
    /** A change of the application, as a sentence. */
    change?: string;
    /** A command that writes a rule and proves it. */
    command?: string;
    /** The rule, as it stands in `clew.rules.json`, in JSON. */
    rule?: string;
  };
  docs?: string;
  /** Spans that carry the mark, the newest 100. */
  spans: { traceId: string; spanId: string; name: string }[];
}

export interface FindingList {
  findings: FindingView[];
}

/** How much work was under way at a time, by type: an area chart. */
export interface PendingView {
  /** `async-resources`: from a recording or their spans; `spans`: operations in flight instead. */
  source: 'async-resources' | 'spans';
  /** Milliseconds since 1970. */
  fromMs: number;
  toMs: number;
  /** Of one bucket, in milliseconds. */
  stepMs: number;
  /** The greatest first; beyond 11 types the rest is `other`. */
  series: PendingSeries[];
}

export interface PendingSeries {
  type: string;
  /** For each bucket the greatest number at once. */
  counts: number[];
}

/** Names and data of the server-sent events of `/clew/live`. */
export interface LiveEvents {
  /** At the beginning, and when counts change; at most four a second. */
  summary: Summary;
  /** New requests, and those that have grown: replace by `traceId`. At most 200 in one event. */
  requests: { requests: RequestRow[] };
  /** All of them, when they change. */
  findings: FindingList;
}

export interface FileAdded {
  /** `clew`, `otlp`, `jaeger`, `findings`. */
  format: string;
  traces: number;
  spans: number;
  findings: number;
}
