/*
 * The SDK bundled with clew, for an application that has not installed one: its classes and their
 * helpers, in one file. It is the version that clew is tested with.
 */
export {
  AlwaysOffSampler,
  AlwaysOnSampler,
  ConsoleSpanExporter,
  ParentBasedSampler,
  SimpleSpanProcessor,
  TraceIdRatioBasedSampler,
  TracerProvider,
} from '@opentelemetry/sdk-trace';
export {
  CompositePropagator,
  W3CBaggagePropagator,
  W3CTraceContextPropagator,
} from '@opentelemetry/core';
export { resourceFromAttributes } from '@opentelemetry/resources';
