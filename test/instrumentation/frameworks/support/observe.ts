import { createRequire } from 'node:module';
import { join } from 'node:path';

import { trace } from '@opentelemetry/api';
import { InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base';

import { start, type StartOptions } from '../../../../src/index.ts';
import { OBSERVED, type Observed } from './observed.ts';

/*
 * Preloaded before an application: what is recorded in its process is kept for the driver. `OFFICIAL`
 * names an official instrumentation that the application brings, as `package:Class`, and `OFFICIAL_OPTIONS`
 * what it is made with.
 */
type Brought = NonNullable<StartOptions['instrumentations']>[number];

function brought(): Brought[] {
  const [name, className] = process.env['OFFICIAL']?.split(':') ?? [];
  if (name === undefined || className === undefined) return [];
  const load = createRequire(join(process.cwd(), 'main.js'));
  const classes = load(name) as Record<string, new (options: unknown) => Brought>;
  const Instrumentation = classes[className];
  const options: unknown = JSON.parse(process.env['OFFICIAL_OPTIONS'] ?? '{}');
  return Instrumentation ? [new Instrumentation(options)] : [];
}

const exporter = new InMemorySpanExporter();
const way = process.env['OFFICIAL_WAY'];
const isByHand = way === 'registered by hand' || way === 'made and not enabled';
const clew = start(isByHand ? {} : { instrumentations: brought() });
clew.addSpanProcessor(new SimpleSpanProcessor(exporter));
if (isByHand) {
  for (const instrumentation of brought()) {
    instrumentation.setTracerProvider(trace.getTracerProvider());
    if (way === 'registered by hand') instrumentation.enable();
  }
}
const observed: Observed = {
  spans: () => exporter.getFinishedSpans(),
  activeTrace: () => trace.getActiveSpan()?.spanContext().traceId,
  activeSpan: () => trace.getActiveSpan()?.spanContext().spanId,
};
(globalThis as Record<symbol, unknown>)[OBSERVED] = observed;
