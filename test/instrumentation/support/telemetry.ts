import { context, trace, type ContextManager } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  SimpleSpanProcessor,
  type ReadableSpan,
} from '@opentelemetry/sdk-trace-base';

/** What was recorded while it is registered, which is until the end of the test. */
export interface Telemetry {
  /** The spans that have ended, in the order of their ends. */
  spans(): ReadableSpan[];
  /** The names of those that have not. */
  openSpans(): string[];
  /** The only span that has ended. */
  onlySpan(): ReadableSpan;
  /** Forgets what was recorded so far. */
  reset(): void;
}

/** Registers a context manager alone, as an application without tracing has. */
export function registerContextManager(
  manager: ContextManager = new AsyncLocalStorageContextManager(),
): void {
  context.disable();
  context.setGlobalContextManager(manager.enable());
}

/** Registers a context manager and a tracer provider that keeps its spans in memory. */
export function registerTelemetry(manager?: ContextManager): Telemetry {
  registerContextManager(manager);
  const exporter = new InMemorySpanExporter();
  const open = new Set<object>();
  const provider = new BasicTracerProvider({
    spanProcessors: [
      new SimpleSpanProcessor(exporter),
      {
        onStart: (span) => void open.add(span),
        onEnd: (span) => void open.delete(span),
        forceFlush: async () => undefined,
        shutdown: async () => undefined,
      },
    ],
  });
  trace.disable();
  trace.setGlobalTracerProvider(provider);
  const spans = (): ReadableSpan[] => exporter.getFinishedSpans();
  return {
    spans,
    openSpans: () => [...open].map((span) => (span as ReadableSpan).name),
    reset: () => exporter.reset(),
    onlySpan: () => {
      const [first, ...others] = spans();
      if (!first || others.length > 0) {
        throw new Error(
          `Expected one span, got: ${spans()
            .map(({ name }) => name)
            .join(', ')}`,
        );
      }
      return first;
    },
  };
}
