import type { Context } from '@opentelemetry/api';
import type { ReadableSpan, Span, SpanProcessor } from './sdk-types.ts';

/**
 * A span processor to which others can be added and removed later. The SDK takes its processors
 * once, when the provider is created; this one is among them and passes each span on to those added
 * since.
 */
export class AddedProcessors implements SpanProcessor {
  #processors: readonly SpanProcessor[] = [];

  /**
   * Adds `processor` for the spans that start or end from now on. Returns a function that removes
   * it.
   */
  add(processor: SpanProcessor): () => void {
    this.#processors = [...this.#processors, processor];
    return () => {
      this.#processors = this.#processors.filter((added) => added !== processor);
    };
  }

  onStart(span: Span, parentContext: Context): void {
    for (const processor of this.#processors) processor.onStart(span, parentContext);
  }

  onEnd(span: ReadableSpan): void {
    for (const processor of this.#processors) processor.onEnd(span);
  }

  async forceFlush(): Promise<void> {
    await Promise.all(this.#processors.map((processor) => processor.forceFlush()));
  }

  async shutdown(): Promise<void> {
    await Promise.all(this.#processors.map((processor) => processor.shutdown()));
    this.#processors = [];
  }
}
