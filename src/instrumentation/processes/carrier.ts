import { propagation, ROOT_CONTEXT, type Context } from '@opentelemetry/api';

/*
 * Contexts on their way to another thread or process: what the registered propagator writes, by
 * the names of its fields.
 */

/** Fields of a propagator with their values, such as `{ traceparent: '00-...' }`. */
export type Carrier = Record<string, string>;

/**
 * A longer value is left out as a whole. It is the limit of a baggage in W3C Baggage, and far below
 * that of one environment variable.
 */
const MAX_VALUE_LENGTH = 8192;

/** What the propagator writes of `context`; undefined where that is nothing. Never throws. */
export function injected(context: Context): Carrier | undefined {
  const carrier: Carrier = {};
  try {
    propagation.inject(context, carrier, {
      set: (target, key, value: unknown) => {
        if (isValue(value)) target[key] = value;
      },
    });
  } catch {
    // A propagator of the application's that fails costs the context, not the child.
    return undefined;
  }
  return Object.keys(carrier).length > 0 ? carrier : undefined;
}

/** The context that `carrier` holds, whoever wrote it; undefined where it holds none. Never throws. */
export function extracted(carrier: unknown): Context | undefined {
  if (typeof carrier !== 'object' || carrier === null) return undefined;
  try {
    const context = propagation.extract(ROOT_CONTEXT, carrier as Record<string, unknown>, {
      keys: (source) => Object.keys(source),
      get: (source, key) => {
        const value = Object.hasOwn(source, key) ? source[key] : undefined;
        return isValue(value) ? value : undefined;
      },
    });
    return context === ROOT_CONTEXT ? undefined : context;
  } catch {
    return undefined;
  }
}

// Control characters are in no header, and a NUL in no environment.
// oxlint-disable-next-line no-control-regex
const CONTROL = /[\u0000-\u001f\u007f]/;

function isValue(value: unknown): value is string {
  return typeof value === 'string' && value.length <= MAX_VALUE_LENGTH && !CONTROL.test(value);
}
