import type { Origin } from './context-origins.ts';

/** A span that was started, whichever tracer made it. */
export interface SpanEvent {
  /** What stands for the span: the same object whenever it is met. */
  key: object;
  parent: object | undefined;
  /** The parent is in another process. */
  isRemote: boolean;
  /** Its maker wanted it to have no parent. */
  isRoot: boolean;
  /** A span of a server or a consumer: where work enters the process. */
  isEntry: boolean;
  name: string;
  /** Who made it. */
  scope: string;
  traceId: string | undefined;
}

export interface SpanSink {
  started(event: SpanEvent): void;
  ended(key: object): void;
}

/** Something that knows of spans, and which one is active. */
export interface SpanSource {
  start(sink: SpanSink): void;
  stop(): void;
  active(): object | undefined;
  /** Where the context that is active was activated. */
  origin(): Origin | undefined;
  /** Called now and then, for what cannot announce itself. */
  look?(): void;
}
