/*
 * The plain records that a diagnosis is made of. The collector writes them, `diagnose` reads them,
 * and both can be tested without the other. Times are milliseconds on the clock of
 * `performance.now()`.
 */

/** One call of a stack, innermost first in a list. */
export interface Frame {
  /** An absolute path, or `node:...`. */
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly fn?: string | undefined;
  /** The function is awaiting the frame before it, and did not call it. */
  readonly isAsync?: boolean;
  /** It is a place in a source, to which a source map led. */
  readonly isSource?: boolean;
}

/** A request or another unit of work with a local root span. */
export interface OwnerRef {
  readonly id: number;
  /** Low in cardinality and free of values: `GET /orders/{n}`. */
  readonly label: string;
  readonly traceId?: string | undefined;
  readonly ended?: boolean;
}

/** The long-lived async resource in whose callback something ran. */
export interface HandleRecord {
  readonly asyncId: number;
  readonly type: string;
  /** A timer that fires again and again by itself. */
  readonly repeating: boolean;
  /** A timer that the callback of a timer started, and that one, too: a loop, or a queue's work. */
  readonly chained?: boolean;
  /** It was there before it was watched, and nothing is known of its creation. */
  readonly older?: boolean;
  readonly stack: readonly Frame[];
  /** Whose work created it; undefined for start-up and for work without an owner. */
  readonly bornIn?: OwnerRef | undefined;
}

/** Where the context was activated that was found active. */
export interface OriginRecord {
  /** Of a tracer whose activations cannot be seen, it is where the active span was started. */
  readonly how: 'activated' | 'started';
  readonly stack: readonly Frame[];
  /** How long before. */
  readonly millis: number;
}

export type LossKind = 'lost' | 'mixed' | 'stale' | 'batched' | 'inactive';

/** One thing seen to be wrong. */
export interface Observation {
  readonly kind: LossKind;
  /** The name of the span, or the method of the response that was called. */
  readonly what: string;
  /** An anchor (an object whose owner is known) was touched; else only a span was seen. */
  readonly anchored: boolean;
  /** The touch completes the anchor's work: anything but a piece of a stream. */
  readonly completes: boolean;
  readonly stack: readonly Frame[];
  readonly handle?: HandleRecord | undefined;
  /** Where the short-lived async resource was created whose callback ran, if that was kept. */
  readonly birth?: readonly Frame[] | undefined;
  /** Whose context was active. */
  readonly seen?: OwnerRef | undefined;
  /** Where that context was activated. */
  readonly origin?: OriginRecord | undefined;
  /** To whom the evidence says it belongs. */
  readonly owner?: OwnerRef | undefined;
  /** Requests in flight at that moment. */
  readonly inFlight: number;
  /** Spans of this name have a parent elsewhere. */
  readonly parentedElsewhere: boolean;
  /** The spans concerned, by name. */
  readonly spans: readonly string[];
  /** How many callers one piece of work served; for `batched`. */
  readonly callers?: number;
}

/** A fault of the set-up, seen and not yet put into words. */
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
  /** Spans of this copy reach the registered provider. */
  readonly works: boolean;
}

/** Everything a run knows. */
export interface RunRecord {
  readonly observations: readonly CountedObservation[];
  readonly facts: readonly SetupFact[];
  readonly requests: number;
  readonly spans: number;
  readonly millis: number;
  /** Observations that a bound kept out. */
  readonly dropped: number;
}

/** Observations of one cause: the first one stands for all. */
export interface CountedObservation extends Observation {
  readonly count: number;
  /** Broken spans among them. */
  readonly brokenSpans: number;
  /** The owners' labels with how often each occurred. */
  readonly owners: Readonly<Record<string, number>>;
}
