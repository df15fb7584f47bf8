/*
 * The plain records from which a diagnosis is made. The collector writes them, `diagnose` reads
 * them, and each can be tested without the other. Times are milliseconds on the clock of
 * `performance.now()`.
 */

/** One call of a stack, innermost first in a list. */
export interface Frame {
  /** An absolute path, or `node:...`. */
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly fn?: string | undefined;
  /** Whether the function awaits the frame before it, and did not call it. */
  readonly isAsync?: boolean;
  /** Whether a source map led to this place. */
  readonly isSource?: boolean;
}

/** A request or another unit of work with a local root span. */
export interface OwnerRef {
  readonly id: number;
  /** A label of low cardinality, without values: `GET /orders/{n}`. */
  readonly label: string;
  readonly traceId?: string | undefined;
  readonly ended?: boolean;
}

/** The long-lived async resource in whose callback something ran. */
export interface HandleRecord {
  readonly asyncId: number;
  readonly type: string;
  /** Whether it is a timer that fires repeatedly by itself. */
  readonly repeating: boolean;
  /**
   * Whether it is a timer in a chain in which each was started by the callback of the one before: a
   * loop, or the work of a queue.
   */
  readonly chained?: boolean;
  /** Whether it existed before watching began, so that nothing is known of its creation. */
  readonly older?: boolean;
  readonly stack: readonly Frame[];
  /**
   * The owner of the work that created it; undefined for start-up and for work without an owner.
   */
  readonly bornIn?: OwnerRef | undefined;
}

/** Where the context that was found active had been activated. */
export interface OriginRecord {
  /** If the tracer's activations cannot be observed, it is where the active span was started. */
  readonly how: 'activated' | 'started';
  readonly stack: readonly Frame[];
  /** How long before, in milliseconds. */
  readonly millis: number;
}

export type LossKind = 'lost' | 'mixed' | 'stale' | 'batched' | 'inactive';

/** One observed fault. */
export interface Observation {
  readonly kind: LossKind;
  /** The name of the span, or the method of the response that was called. */
  readonly what: string;
  /**
   * Whether an anchor (an object whose owner is known) was touched; otherwise only a span was
   * observed.
   */
  readonly anchored: boolean;
  /** Whether the touch completes the anchor's work: anything but a chunk of a stream. */
  readonly completes: boolean;
  readonly stack: readonly Frame[];
  readonly handle?: HandleRecord | undefined;
  /** Where the short-lived async resource whose callback ran was created, if that was kept. */
  readonly birth?: readonly Frame[] | undefined;
  /** The owner of the active context. */
  readonly seen?: OwnerRef | undefined;
  /** Where that context was activated. */
  readonly origin?: OriginRecord | undefined;
  /** The owner according to the evidence. */
  readonly owner?: OwnerRef | undefined;
  /** Requests in flight at that moment. */
  readonly inFlight: number;
  /** Whether spans of this name have a parent elsewhere. */
  readonly parentedElsewhere: boolean;
  /** The spans concerned, by name. */
  readonly spans: readonly string[];
  /** The number of callers that one piece of work served; for `batched`. */
  readonly callers?: number;
}

/** A fault in the set-up, before it is formatted as a finding. */
export type SetupFact =
  | { fault: 'loaded-early'; package: string; instrumentation: string; stack: readonly Frame[] }
  | { fault: 'api-copies'; copies: readonly ApiCopy[] }
  | { fault: 'second-provider'; what: string; stack: readonly Frame[] }
  | { fault: 'esm-hook'; packages: readonly string[]; entry: string }
  | { fault: 'export-fails'; target: string; reason: string; count: number }
  | {
      fault: 'no-collector';
      target: string;
      reason: string;
      count: number;
      /** It is the default address, and nothing is configured. */
      isDefault?: boolean;
    }
  | { fault: 'bundled'; entry: string; packages: readonly string[] }
  | { fault: 'version'; package: string; version: string; expected: string };

export interface ApiCopy {
  readonly path: string;
  readonly version: string;
  /** Whether spans of this copy reach the registered provider. */
  readonly works: boolean;
}

/** All observations of a run. */
export interface RunRecord {
  readonly observations: readonly CountedObservation[];
  readonly facts: readonly SetupFact[];
  readonly requests: number;
  /** The number of requests by name, by path and by route; bounded. */
  readonly routes: Readonly<Record<string, number>>;
  readonly spans: number;
  readonly millis: number;
  /** Observations that exceeded a bound. */
  readonly dropped: number;
}

/** Observations of one cause, represented by the first one. */
export interface CountedObservation extends Observation {
  readonly count: number;
  /** The number of broken spans. */
  readonly brokenSpans: number;
  /** The labels of the owners, with the number of times each occurred. */
  readonly owners: Readonly<Record<string, number>>;
}
