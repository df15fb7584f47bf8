/*
 * The SDK that comes with clew, for an application that has installed none: its classes and what they
 * are put together with, in one file. It stands at the version that is tested.
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
