import type { TextMapPropagator } from '@opentelemetry/api';

import { messageOf } from '../../base/errors.ts';
import { loadPeer } from '../../base/peers.ts';
import { loadSdk } from './sdk.ts';

/** The valid names in `OTEL_PROPAGATORS`, apart from `none`. */
export const PROPAGATORS: readonly string[] = [
  'tracecontext',
  'baggage',
  'b3',
  'b3multi',
  'jaeger',
];

/** The parts that are used of OpenTelemetry's packages for other tracers' headers. */
interface B3Package {
  B3Propagator: new (config: { injectEncoding: number }) => TextMapPropagator;
  B3InjectEncoding: { SINGLE_HEADER: number; MULTI_HEADER: number };
}
interface JaegerPackage {
  JaegerPropagator: new () => TextMapPropagator;
}

/**
 * Returns one propagator that combines the named ones. Those of the W3C come with the SDK. If the
 * package of another is missing, it is reported in `problems` and only that one is left out.
 */
export function createPropagator(
  names: readonly string[],
  onProblem: (message: string) => void,
): TextMapPropagator {
  const core = loadSdk().dependency<{
    CompositePropagator: new (config: { propagators: TextMapPropagator[] }) => TextMapPropagator;
    W3CBaggagePropagator: new () => TextMapPropagator;
    W3CTraceContextPropagator: new () => TextMapPropagator;
  }>('@opentelemetry/core');
  const b3 = (encoding: keyof B3Package['B3InjectEncoding']): TextMapPropagator => {
    const { B3Propagator, B3InjectEncoding } = loadPeer<B3Package>('@opentelemetry/propagator-b3');
    return new B3Propagator({ injectEncoding: B3InjectEncoding[encoding] });
  };
  const makers: Record<string, () => TextMapPropagator> = {
    tracecontext: () => new core.W3CTraceContextPropagator(),
    baggage: () => new core.W3CBaggagePropagator(),
    b3: () => b3('SINGLE_HEADER'),
    b3multi: () => b3('MULTI_HEADER'),
    jaeger: () => {
      return new (loadPeer<JaegerPackage>('@opentelemetry/propagator-jaeger').JaegerPropagator)();
    },
  };
  const propagators: TextMapPropagator[] = [];
  for (const name of new Set(names)) {
    try {
      const made = makers[name]?.();
      if (made) propagators.push(made);
    } catch (error) {
      onProblem(`The propagator ${name} is left out: ${messageOf(error)}`);
    }
  }
  return new core.CompositePropagator({ propagators });
}
