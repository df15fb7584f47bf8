import type { ReadableSpan } from '@opentelemetry/sdk-trace-base';

/** What a preloaded observer leaves for the driver, under this symbol of the global object. */
export const OBSERVED: symbol = Symbol.for('clew.test.observed');

export interface Observed {
  spans(): ReadableSpan[];
  /** The trace that is active where it is called. */
  activeTrace(): string | undefined;
  /** The span that is active where it is called. */
  activeSpan(): string | undefined;
}

/** A request to be made. */
export interface Asked {
  method?: string;
  path: string;
  body?: string;
  headers?: Record<string, string>;
  /** How many are made at once. Default: 1. */
  times?: number;
}

/** A span in the trace of a request. */
export interface Child {
  name: string;
  /** The name of the span that it hangs below. */
  parent: string | undefined;
  attributes: Record<string, unknown>;
  failed: boolean;
  /** What of the application ran in its context, and whether it ended within the request. */
  ran: string[];
  isWithin: boolean;
}

/** What came of a request. */
export interface Answer {
  status: number;
  body: string;
  /** Names of the headers in their order, without those that vary. */
  headers: string[];
  /** The span of the server, where one was recorded. */
  span?: {
    name: string;
    route: string | undefined;
    handler: string | undefined;
    /** `type: message` of the exception events that have a stack. */
    exceptions: string[];
    attributes: Record<string, unknown>;
  };
  /** How many server spans the request has. */
  serverSpans: number;
  /** Names of further spans in the trace. */
  others: string[];
  /** Further spans, in the order in which they began. */
  children: Child[];
  /** What of the application ran in the context of the request. */
  inContext: string[];
  /** And what ran in another one, or in none. */
  astray: string[];
}

/** What a driver prints as JSON. */
export interface Report {
  /** What the process wrote to stderr. */
  stderr?: string;
  answers: Answer[];
  /** What the application says of itself: its stacks, as it can look at them. */
  looks: unknown;
}
