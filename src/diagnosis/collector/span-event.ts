import type { Origin } from './context-origins.ts';

/** A span that was started, by any tracer. */
export interface SpanEvent {
  /** Represents the span: always the same object. */
  key: object;
  parent: object | undefined;
  /** Whether the parent is in another process. */
  isRemote: boolean;
  /** Whether it was started without a parent on purpose. */
  isRoot: boolean;
  /** Whether it is a span of a server or a consumer, where work enters the process. */
  isEntry: boolean;
  name: string;
  /** The code that made it. */
  scope: string;
  traceId: string | undefined;
}

export interface SpanSink {
  started(event: SpanEvent): void;
  ended(key: object): void;
}

/** Observes spans, and knows which one is active. */
export interface SpanSource {
  start(sink: SpanSink): void;
  stop(): void;
  active(): object | undefined;
  /** Returns where the active context was activated. */
  origin(): Origin | undefined;
  /** Called from time to time, for sources that cannot notify. */
  look?(): void;
}
