import { propagation, type Context } from '@opentelemetry/api';

import { extracted, injected, type Carrier } from './carrier.ts';

/*
 * The environment of a process as a carrier, by OpenTelemetry's "Environment Variables as Context
 * Propagation Carriers": `traceparent` is in `TRACEPARENT`.
 */

/** The variable of a propagator's field: upper case, and `_` for what no name may have. */
export function variableOf(field: string): string {
  return field
    .toUpperCase()
    .replace(/[^A-Z0-9_]/g, '_')
    .replace(/^(?=\d)/, '_');
}

/** What the propagator's fields have in `env`, by the names of the fields. */
export function readCarrier(env: NodeJS.ProcessEnv): Carrier {
  const carrier: Carrier = {};
  for (const field of propagation.fields()) {
    const value = env[variableOf(field)];
    if (value !== undefined) carrier[field] = value;
  }
  return carrier;
}

/** The context that this process was started in, by its environment. */
export function contextOfEnvironment(env: NodeJS.ProcessEnv): Context | undefined {
  return extracted(readCarrier(env));
}

/** Variables of a child: those to set, and those to take out. */
export interface Variables {
  readonly set: ReadonlyMap<string, string>;
  readonly drop: ReadonlySet<string>;
}

/**
 * What the environment of a child has to be given for it to belong to `context`, or undefined for
 * nothing. `valueOf` reads the environment that it would have.
 *
 * What is `inherited` belongs to what started this process and not to what the process does now: it
 * is replaced, or taken out. A value that the application has set itself stays, and with one of a
 * trace the variables of traces stay as they are.
 */
export function variablesFor(
  context: Context,
  valueOf: (variable: string) => string | undefined,
  inherited: Carrier,
): Variables | undefined {
  const fields = propagation.fields();
  const isOwn = (field: string): boolean => {
    const value = valueOf(variableOf(field));
    return value !== undefined && value !== inherited[field];
  };
  const isOfBaggage = (field: string): boolean => field === 'baggage';
  const ownTrace = fields.some((field) => !isOfBaggage(field) && isOwn(field));
  const carrier = injected(context);
  const set = new Map<string, string>();
  const drop = new Set<string>();
  for (const field of fields) {
    if (isOfBaggage(field) ? isOwn(field) : ownTrace) continue;
    const variable = variableOf(field);
    const value = carrier?.[field];
    if (value !== undefined) set.set(variable, value);
    else if (valueOf(variable) !== undefined) drop.add(variable);
  }
  return set.size > 0 || drop.size > 0 ? { set, drop } : undefined;
}
