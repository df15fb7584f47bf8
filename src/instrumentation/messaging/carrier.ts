import { propagation, ROOT_CONTEXT, type Context, type TextMapGetter } from '@opentelemetry/api';

import { guard } from './guard.ts';

/*
 * Trace contexts in messages, by the configured propagator. A message may come from anywhere, so what
 * is read is bounded and nothing in it is trusted to be a text, to be the carrier's own, or to be
 * readable at all.
 */

/** Where a message carries its context: headers, user properties, what was parsed of a job's field. */
export type Carrier = Readonly<Record<string, unknown>>;

/** The longest value, in characters or bytes: W3C baggage has at most 8192. */
const MAX_VALUE = 8192;
/** How many keys of a carrier a propagator sees that looks through all of them. */
const MAX_KEYS = 100;

/** What `context` is to be carried by: a new object with the fields of the propagator, few and short. */
export function carrierOf(context: Context): Record<string, string> {
  const carrier: Record<string, string> = {};
  guard('put the trace into a message', () => {
    propagation.inject(context, carrier, {
      set(target, name, value) {
        if (typeof value === 'string' && value.length <= MAX_VALUE) target[name] = value;
      },
    });
  });
  return carrier;
}

/** The context that came in `carrier`, on top of `base`. What is no context changes nothing. */
export function contextIn(carrier: unknown, base: Context = ROOT_CONTEXT): Context {
  if (typeof carrier !== 'object' || carrier === null) return base;
  return (
    guard('read the trace in a message', () => propagation.extract(base, carrier, READING)) ?? base
  );
}

const READING: TextMapGetter<object> = {
  keys: (carrier) => Object.keys(carrier).slice(0, MAX_KEYS),
  get(carrier, name) {
    const value = ownValue(carrier, name) ?? ownValue(carrier, name.toLowerCase());
    return textOf(value);
  },
};

function ownValue(carrier: object, name: string): unknown {
  return Object.getOwnPropertyDescriptor(carrier, name)?.value as unknown;
}

/** Brokers hand out headers as texts, as bytes, and some as lists of these; of two it is neither. */
function textOf(value: unknown): string | undefined {
  if (Array.isArray(value)) return value.length === 1 ? textOfOne(value[0]) : undefined;
  return textOfOne(value);
}

function textOfOne(value: unknown): string | undefined {
  if (typeof value === 'string') return value.length <= MAX_VALUE ? value : undefined;
  if (!(value instanceof Uint8Array) || value.byteLength > MAX_VALUE) return undefined;
  return Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('utf8');
}
