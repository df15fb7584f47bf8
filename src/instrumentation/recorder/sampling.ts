import { createNoopMeter, trace, TraceFlags, type Context, type Tracer } from '@opentelemetry/api';

import { isValidParent } from './parent.ts';

/*
 * Most requests of a busy service are not sampled, and a tracer that is asked for a span of such a
 * request makes an id and copies all attributes, which were put together for it, to hand out a span
 * that records nothing: that costs more than all else this package does for an operation. What a
 * sampler drops whatever it is asked needs no asking.
 *
 * A tracer of OpenTelemetry's SDK has its sampler in a property that is not public, so anything but
 * the exact shape that is known means `nothing`; the samplers say what they are by `toString`, which
 * is part of their interface.
 */

/** Which spans a tracer is known to drop: all, those whose parent is not sampled, or none. */
export type Dropped = 'everything' | 'unsampled' | 'nothing';

interface SdkTracer {
  _sampler?: { constructor?: { name?: string }; toString(this: object): string };
  /** Counts the spans that are asked for, where the SDK was given a meter provider. */
  _tracerMetrics?: { startedSpans?: object };
}

const NOOP_COUNTER: object = createNoopMeter().createCounter('');
const DROPS_UNSAMPLED =
  /, remoteParentNotSampled=AlwaysOffSampler, localParentSampled=[^,{}]+, localParentNotSampled=AlwaysOffSampler}$/;

/** Never throws, whatever `tracer` is made of. */
export function droppedBy(tracer: Tracer): Dropped {
  try {
    return droppedByKnown(tracer);
  } catch {
    return 'nothing';
  }
}

function droppedByKnown(tracer: Tracer): Dropped {
  const { _sampler: sampler, _tracerMetrics: metrics } = tracer as SdkTracer;
  if (typeof sampler !== 'object' || sampler === null) return 'nothing';
  if (metrics && !isNoop(metrics.startedSpans)) return 'nothing';
  switch (sampler.constructor?.name) {
    case 'AlwaysOffSampler':
      return 'everything';
    case 'ParentBasedSampler':
      return DROPS_UNSAMPLED.test(sampler.toString()) ? 'unsampled' : 'nothing';
    default:
      return 'nothing';
  }
}

/** Another copy of the API has another class of the same name. */
function isNoop(counter: object | undefined): boolean {
  return (
    counter?.constructor === NOOP_COUNTER.constructor ||
    counter?.constructor.name === 'NoopCounterMetric'
  );
}

/**
 * Whether a span under `parent` is dropped by a tracer that drops `dropped`. Never throws, whoever
 * made the parent: it is asked in the middle of the application's call.
 */
export function isDropped(dropped: Dropped, parent: Context): boolean {
  if (dropped !== 'unsampled') return dropped === 'everything';
  try {
    return isUnsampled(parent);
  } catch {
    return false;
  }
}

function isUnsampled(parent: Context): boolean {
  const span = trace.getSpanContext(parent);
  if (span === undefined || (span.traceFlags & TraceFlags.SAMPLED) !== 0) return false;
  return isValidParent(span);
}
