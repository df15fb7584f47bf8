import { createRequire } from 'node:module';
import { join } from 'node:path';

import { trace } from '@opentelemetry/api';
import { InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base';

import { start, type StartOptions } from '../../../../src/index.ts';
import { OBSERVED, type Observed } from './observed.ts';

/*
 * Preloaded before an application: what is recorded in its process is kept for the driver. `OFFICIAL`
 * names an official instrumentation that the application brings, as `package:Class`.
 */
type Brought = NonNullable<StartOptions['instrumentations']>[number];

function brought(): Brought[] {
  const [name, className] = process.env['OFFICIAL']?.split(':') ?? [];
  if (name === undefined || className === undefined) return [];
  const load = createRequire(join(process.cwd(), 'main.js'));
  const classes = load(name) as Record<string, new () => Brought>;
  const Instrumentation = classes[className];
  return Instrumentation ? [new Instrumentation()] : [];
}

const exporter = new InMemorySpanExporter();
const isByHand = process.env['OFFICIAL_WAY'] === 'registered by hand';
const clew = start(isByHand ? {} : { instrumentations: brought() });
clew.addSpanProcessor(new SimpleSpanProcessor(exporter));
if (isByHand) {
  for (const instrumentation of brought()) {
    instrumentation.setTracerProvider(trace.getTracerProvider());
    instrumentation.enable();
  }
}
const observed: Observed = {
  spans: () => exporter.getFinishedSpans(),
  activeTrace: () => trace.getActiveSpan()?.spanContext().traceId,
  activeSpan: () => trace.getActiveSpan()?.spanContext().spanId,
};
(globalThis as Record<symbol, unknown>)[OBSERVED] = observed;
