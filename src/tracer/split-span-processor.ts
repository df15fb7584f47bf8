import {
  SpanKind,
  SpanStatusCode,
  trace,
  TraceFlags,
  type Attributes,
  type Context,
  type HrTime,
  type Span,
  type SpanContext,
} from '@opentelemetry/api';
import { performance } from 'node:perf_hooks';

import { requestName } from '../base/request-name.ts';
import type { AsyncResourceTracer } from './async-resource-tracer.ts';
import type { Hold } from './holds.ts';
import type { Split } from './loop-clock.ts';
import {
  currentOwner,
  ownerOfSpan,
  QUIET,
  recordedOwner,
  setOwnerOfSpan,
  ResourceOwner,
  type Mark,
} from './owner.ts';

/** Attribute names of the split, and of the link to the span that held the loop. */
export const ATTR_RUN_MS = 'clew.run.ms';
export const ATTR_WAIT_IO_MS = 'clew.wait.io.ms';
export const ATTR_WAIT_LOOP_MS = 'clew.wait.loop.ms';
export const ATTR_BLOCKED_BY = 'clew.blocked_by';
export const ATTR_BLOCKED_BY_MS = 'clew.blocked_by.ms';
export const ATTR_RUN_AT = 'clew.run.at';
export const ATTR_WAIT_LOOP_AT = 'clew.wait.loop.at';
export const ATTR_WAIT_LOOP_BY = 'clew.wait.loop.by';
export const ATTR_LINK = 'clew.link';

/** The maximum number of periods per request; the longest ones are named. */
const MAX_STRETCHES = 32;

/** The part of an SDK's span that is the same in 2.x and 3.x. */
export interface ProcessedSpan extends Span {
  readonly name: string;
  readonly kind: SpanKind;
  readonly startTime: HrTime;
  readonly attributes: Attributes;
  readonly status?: { readonly code: SpanStatusCode };
  readonly parentSpanContext?: SpanContext | undefined;
}

interface Measured {
  readonly mark: Mark;
  readonly owner: ResourceOwner | undefined;
  readonly isRootOfOwner: boolean;
  /** Whether the owner was created for this span and ends with it. */
  readonly owns: boolean;
}

export interface SplitSpanProcessorOptions {
  /** Called with the owner of a local root span, to choose sampled requests for tracing. */
  onRootSpan?(owner: ResourceOwner, span: ProcessedSpan): void;
}

/**
 * Adds to each span how its time was spent: running, waiting for I/O, waiting for the event loop,
 * and which work held the loop.
 *
 * The attributes are set in `onEnding`, the last moment at which a span can be changed. An SDK that
 * does not call it (1.x) gets no such attributes. A span outside of any request, such as that of a
 * job or a message, becomes the owner of the work that runs under it.
 */
export class SplitSpanProcessor {
  readonly #tracer: AsyncResourceTracer;
  readonly #options: SplitSpanProcessorOptions;
  readonly #measured = new WeakMap<object, Measured>();

  constructor(tracer: AsyncResourceTracer, options: SplitSpanProcessorOptions = {}) {
    this.#tracer = tracer;
    this.#options = options;
  }

  onStart(span: ProcessedSpan, parentContext: Context): void {
    if (this.#tracer.level === 'off') return;
    const running = recordedOwner();
    if (running === QUIET) return;
    const parent = trace.getSpan(parentContext);
    const isLocalRoot = !span.parentSpanContext || span.parentSpanContext.isRemote === true;
    let owner = running ?? (parent && ownerOfSpan(parent));
    const owns = owner === undefined && isLocalRoot;
    if (owns) owner = new ResourceOwner(nameOf(span), performance.now());
    const { clock } = this.#tracer;
    const isRootOfOwner = isLocalRoot && owner !== undefined && !owner.spanContext;
    if (owner) {
      setOwnerOfSpan(span, owner);
      if (isRootOfOwner) this.#adopt(owner, span);
      clock.observe(owner);
    }
    this.#measured.set(span, { mark: clock.mark(owner), owner, isRootOfOwner, owns });
  }

  onEnding(span: ProcessedSpan): void {
    const measured = this.#measured.get(span);
    if (!measured) return;
    const { mark, owner, isRootOfOwner, owns } = measured;
    const { clock } = this.#tracer;
    if (mark.clock === clock && this.#tracer.level !== 'off') {
      if (owner && currentOwner() === owner) clock.observe(owner);
      annotate(span, clock.since(mark, owner));
      // The periods are only on the topmost span, also for the spans below it.
      if (owner && isRootOfOwner) placeHolds(span, owner, clock.holdsSince(mark, MAX_STRETCHES));
    }
    this.#tracer.describeShown(span);
    if (!owner) return;
    if (isRootOfOwner) {
      owner.label = nameOf(span);
      owner.span = undefined;
      owner.failed = span.status?.code === SpanStatusCode.ERROR;
    }
    if (owns) owner.endedAt = performance.now();
  }

  onEnd(span: object): void {
    this.#measured.delete(span);
  }

  forceFlush(): Promise<void> {
    return Promise.resolve();
  }

  shutdown(): Promise<void> {
    return Promise.resolve();
  }

  #adopt(owner: ResourceOwner, span: ProcessedSpan): void {
    const { traceId, spanId, traceFlags } = span.spanContext();
    owner.spanContext = { traceId, spanId, traceFlags };
    owner.span = span;
    owner.spanStartedAt = performance.now();
    owner.epochOffset = span.startTime[0] * 1e3 + span.startTime[1] / 1e6 - owner.spanStartedAt;
    const { name, kind, attributes } = span;
    // Until its route is known a request keeps the name that its path gives it.
    const isNamed = kind !== SpanKind.SERVER || name.includes(' ') || 'http.route' in attributes;
    if (isNamed) owner.label = nameOf(span);
    this.#options.onRootSpan?.(owner, span);
  }
}

/** Sets the attributes of a split on a span that has not ended. */
export function annotate(span: Span, split: Split): void {
  span.setAttributes({
    [ATTR_RUN_MS]: round(split.runMillis),
    [ATTR_WAIT_IO_MS]: round(split.ioMillis),
    [ATTR_WAIT_LOOP_MS]: round(split.loopMillis),
  });
  const { blockedBy } = split;
  if (!blockedBy) return;
  span.setAttributes({
    [ATTR_BLOCKED_BY]: blockedBy.label,
    [ATTR_BLOCKED_BY_MS]: round(blockedBy.millis),
  });
  const blocker = blockedBy.owner?.spanContext;
  if (!blocker || !(blocker.traceFlags & TraceFlags.SAMPLED)) return;
  if (blocker.spanId === span.spanContext().spanId) return;
  span.addLink({ context: blocker, attributes: { [ATTR_LINK]: 'blocked_by' } });
}

/**
 * Sets the attributes that show when the loop was held during the request, by itself and by others.
 */
function placeHolds(span: Span, owner: ResourceOwner, holds: readonly Hold[]): void {
  const { spanStartedAt: from } = owner;
  if (from === undefined || holds.length === 0) return;
  const own = holds.filter((hold) => hold.owner === owner);
  const others = holds.filter((hold) => hold.owner !== owner);
  const micros = (stretches: readonly Hold[]): number[] =>
    stretches.flatMap(({ start, end }) => [toMicros(start - from), toMicros(end - from)]);
  if (own.length > 0) span.setAttribute(ATTR_RUN_AT, micros(own));
  if (others.length === 0) return;
  span.setAttributes({
    [ATTR_WAIT_LOOP_AT]: micros(others),
    [ATTR_WAIT_LOOP_BY]: others.map((hold) => hold.owner?.label ?? hold.label),
  });
}

function toMicros(millis: number): number {
  return Math.max(0, Math.round(millis * 1e3));
}

function nameOf({ name, kind, attributes }: ProcessedSpan): string {
  return kind === SpanKind.SERVER ? requestName(name, (key) => attributes[key]) : name;
}

/** The clock is precise to microseconds. */
function round(millis: number): number {
  return Math.round(millis * 1e3) / 1e3;
}
