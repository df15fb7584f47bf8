import type { Attributes, HrTime, Link, SpanContext, SpanStatus } from '@opentelemetry/api';

/*
 * The fields of a span that are exported. They are read by structure and never by class, so spans
 * of OpenTelemetry JS 2.x and 3.x both fit, and so does a plain object in a test.
 */

export interface SpanEvent {
  name: string;
  time: HrTime;
  attributes?: Attributes;
  droppedAttributesCount?: number;
}

export interface SpanLink extends Link {
  droppedAttributesCount?: number;
}

/** OpenTelemetry's `Resource`, as far as it is sent. */
export interface ResourceShape {
  readonly attributes: Attributes;
  readonly schemaUrl?: string | undefined;
  /** True until asynchronous detectors have finished; `attributes` is incomplete until then. */
  readonly asyncAttributesPending?: boolean | undefined;
  waitForAsyncAttributes?(): Promise<void>;
}

export interface ScopeShape {
  readonly name: string;
  readonly version?: string | undefined;
  readonly schemaUrl?: string | undefined;
}

/** A span that has ended. */
export interface EndedSpan {
  readonly name: string;
  readonly kind: number;
  spanContext(): SpanContext;
  readonly parentSpanContext?: SpanContext | undefined;
  readonly startTime: HrTime;
  readonly endTime: HrTime;
  readonly status: SpanStatus;
  readonly attributes: Attributes;
  readonly links: readonly SpanLink[];
  readonly events: readonly SpanEvent[];
  readonly resource: ResourceShape;
  readonly instrumentationScope: ScopeShape;
  readonly droppedAttributesCount: number;
  readonly droppedEventsCount: number;
  readonly droppedLinksCount: number;
}
