import { context, propagation, ROOT_CONTEXT, trace, TraceFlags } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { W3CTraceContextPropagator } from '@opentelemetry/core';
import { registerInstrumentations, type Instrumentation } from '@opentelemetry/instrumentation';
import {
  BasicTracerProvider,
  type ReadableSpan,
  type SpanProcessor,
} from '@opentelemetry/sdk-trace-base';

import { getInstrumentations } from '../../src/index.ts';
import type { Prepared } from '../harness/group.ts';

/** A library with a producer and a consumer in this process. */
export interface Exchange {
  /** Sends a message; resolves when its handler is done. */
  exchange(this: void): Promise<unknown>;
  close(this: void): Promise<unknown>;
}

export interface MessagingCase {
  readonly name: string;
  /** The library by its name in configuration. */
  readonly library: string;
  /** The variable that names its server. */
  readonly server: string;
  /** Messages of a round: what takes some tenths of a second, and warms the code up. */
  readonly count: number;
  /** Whether there is another package to compare with. */
  readonly hasOfficial: boolean;
  /** That of OpenTelemetry; where it is the library's own, `open` is told to use it. */
  official?(): Promise<Instrumentation[]>;
  open(isOfficial: boolean): Promise<Exchange>;
}

/** Counts spans and forgets them. */
class CountingProcessor implements SpanProcessor {
  ended = 0;
  onStart(): void {}
  onEnd(_span: ReadableSpan): void {
    this.ended += 1;
  }
  async forceFlush(): Promise<void> {}
  async shutdown(): Promise<void> {}
}

/** The context of a request that is traced. */
const REQUEST = trace.setSpanContext(ROOT_CONTEXT, {
  traceId: '0af7651916cd43dd8448eb211c80319c',
  spanId: 'b7ad6b7169203331',
  traceFlags: TraceFlags.SAMPLED,
});

export async function prepareMessaging(found: MessagingCase, variant: string): Promise<Prepared> {
  const counter = new CountingProcessor();
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  propagation.setGlobalPropagator(new W3CTraceContextPropagator());
  trace.setGlobalTracerProvider(new BasicTracerProvider({ spanProcessors: [counter] }));
  if (variant === 'clew') {
    for (const one of getInstrumentations()) {
      if (one.instrumentationName === `clew/${found.library}`) one.enable();
    }
  } else if (variant === 'official') {
    registerInstrumentations({ instrumentations: (await found.official?.()) ?? [] });
  }
  const { exchange, close } = await found.open(variant === 'official');
  return {
    async preflight() {
      await context.with(REQUEST, exchange);
      const before = counter.ended;
      await context.with(REQUEST, exchange);
      // The span of a handler may end after its result is there.
      await new Promise((resolve) => setTimeout(resolve, 20));
      const made = counter.ended - before;
      if (variant === 'bare' ? made !== 0 : made < 2) {
        throw new Error(`${found.name}, ${variant}: ${made} spans of a message`);
      }
    },
    run: (count) =>
      context.with(REQUEST, async () => {
        const before = process.cpuUsage();
        for (let index = 0; index < count; index += 1) await exchange();
        const { user, system } = process.cpuUsage(before);
        return user + system;
      }),
    count: found.count,
    close: async () => void (await close()),
  };
}
