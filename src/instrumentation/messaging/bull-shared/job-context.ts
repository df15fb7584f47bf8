import type { Carrier } from '../carrier.ts';
import { guard } from '../guard.ts';

/*
 * The trace context of a job's producer, among the job's options: where BullMQ's own telemetry has it,
 * in the same form. Bull has no such place of its own, and keeps options that it does not know.
 */

/** The longest metadata that is read, in characters: a few fields of a propagator. */
const MAX_METADATA = 32_768;

/** The options of a job, as far as they are used here. */
export interface JobOptions {
  delay?: unknown;
  repeat?: unknown;
  telemetry?: JobTelemetry | undefined;
}

export interface JobTelemetry {
  /** The propagator's fields, as JSON. */
  metadata?: unknown;
  /** Whether the producer wants no context with its job. */
  omitContext?: unknown;
}

/**
 * What `copy` makes of `original`, which is the user's: a copy that carries a context. Where that fails,
 * the library is to see the original and to say what is wrong with it.
 */
export function copied<Original>(original: Original, copy: () => Original): Original {
  return guard('put the trace into a job', copy) ?? original;
}

/** A copy of `opts` with the context. What has a context of its own, or wants none, is left as it is. */
export function withContext<Options extends JobOptions>(
  opts: Options | undefined,
  carrier: Record<string, string> | undefined,
): Options | undefined {
  if (carrier === undefined || Object.keys(carrier).length === 0) return opts;
  if (opts !== undefined && (typeof opts !== 'object' || opts === null)) return opts;
  const { metadata, omitContext } = opts?.telemetry ?? {};
  if (metadata !== undefined || omitContext === true) return opts;
  return { ...opts, telemetry: { metadata: JSON.stringify(carrier) } } as Options;
}

/** The producer's context in the options of a job. What is no such thing is `undefined`. */
export function carrierIn(opts: JobOptions | undefined): Carrier | undefined {
  const { metadata, omitContext } = opts?.telemetry ?? {};
  if (omitContext === true || typeof metadata !== 'string' || metadata.length > MAX_METADATA) {
    return undefined;
  }
  try {
    const parsed: unknown = JSON.parse(metadata);
    return typeof parsed === 'object' && parsed !== null ? (parsed as Carrier) : undefined;
  } catch {
    return undefined;
  }
}

/** A job that waits by design: its producer's trace is long over when it runs. */
export function isDeferred(opts: JobOptions | undefined): boolean {
  return Number(opts?.delay) > 0 || Boolean(opts?.repeat);
}

/** A copy of `object` with other values for some of its properties, of the same class. */
export function copyWith<Original extends object>(
  object: Original,
  values: Partial<Original>,
): Original {
  const descriptors = Object.getOwnPropertyDescriptors(object) as Record<string, object>;
  for (const [key, value] of Object.entries(values)) {
    descriptors[key] = { configurable: true, enumerable: true, writable: true, value };
  }
  const prototype = Object.getPrototypeOf(object) as object | null;
  return Object.create(prototype, descriptors as PropertyDescriptorMap) as Original;
}
