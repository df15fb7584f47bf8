import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo } from 'node:net';

import {
  context,
  createContextKey,
  propagation,
  ROOT_CONTEXT,
  trace,
  type Context,
  type Span,
} from '@opentelemetry/api';
import { W3CTraceContextPropagator } from '@opentelemetry/core';
import type { ReadableSpan } from '@opentelemetry/sdk-trace-base';

import { AsyncHooksContextManager } from '../../../../src/context/async-hooks-context-manager.ts';
import {
  HttpClientInstrumentation,
  type HttpClientConfig,
} from '../../../../src/instrumentation/http/client/index.ts';
import { registerTelemetry, type Telemetry } from '../../support/telemetry.ts';

export const APIS = ['http', 'undici', 'http2'] as const;

/** Instrumentations, a context manager and a provider, from here to `stop`. */
export class Bench {
  readonly telemetry: Telemetry;
  readonly instrumentations: HttpClientInstrumentation[];

  constructor(config: HttpClientConfig = {}) {
    this.telemetry = registerTelemetry(new AsyncHooksContextManager());
    propagation.setGlobalPropagator(new W3CTraceContextPropagator());
    this.instrumentations = APIS.map((api) => new HttpClientInstrumentation(api, config));
    for (const one of this.instrumentations) one.enable();
  }

  stop(): void {
    for (const one of this.instrumentations.toReversed()) one.disable();
    propagation.disable();
    trace.disable();
    context.disable();
  }

  /** The spans that have ended, once there are `count`. */
  async spans(count: number): Promise<ReadableSpan[]> {
    for (let tries = 0; tries < 200 && this.telemetry.spans().length < count; tries++) {
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    // One too many would come a moment later.
    await new Promise((resolve) => setTimeout(resolve, 20));
    const spans = this.telemetry.spans();
    if (spans.length !== count) {
      throw new Error(
        `Expected ${count} spans, got ${spans.length}: ${spans.map(({ name }) => name).join(', ')}`,
      );
    }
    return spans;
  }

  async span(): Promise<ReadableSpan> {
    const [span] = await this.spans(1);
    return span!;
  }
}

const CALLER = createContextKey('caller');

/** Runs `fn` as a caller with a name, under a span of its own. */
export function asCaller<Result>(name: string, fn: () => Result): Result {
  const span: Span = trace.wrapSpanContext({
    traceId: name.charCodeAt(0).toString(16).padStart(32, '1'),
    spanId: name.charCodeAt(0).toString(16).padStart(16, '1'),
    traceFlags: 1,
  });
  const own: Context = trace.setSpan(ROOT_CONTEXT, span).setValue(CALLER, name);
  return context.with(own, fn);
}

/** The caller whose context is active. */
export function caller(): unknown {
  return context.active().getValue(CALLER);
}

export interface Heard {
  method: string | undefined;
  url: string | undefined;
  headers: http.IncomingHttpHeaders;
  rawHeaders: string[];
}

/** A server that notes what it hears and answers as `answer` says. */
export class TestServer {
  readonly heard: Heard[] = [];
  readonly server: http.Server;

  constructor(answer: http.RequestListener) {
    this.server = http.createServer((request, response) => {
      const { method, url, headers, rawHeaders } = request;
      this.heard.push({ method, url, headers, rawHeaders });
      answer(request, response);
    });
  }

  static async start(
    answer: http.RequestListener = (request, response) => {
      request.resume();
      response.end('hello');
    },
  ): Promise<TestServer> {
    const test = new TestServer(answer);
    // In no context: it lives as long as the test.
    context.with(ROOT_CONTEXT, () => test.server.listen(0, '127.0.0.1'));
    await once(test.server, 'listening');
    return test;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** The trace headers of what was heard, each by the number of times it came. */
  traceHeaders(): string[][] {
    return this.heard.map(({ rawHeaders }) =>
      rawHeaders.filter((_, index) => rawHeaders[index - 1]?.toLowerCase() === 'traceparent'),
    );
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    this.server.close();
    await once(this.server, 'close');
  }
}

/** `list` in the order of what its items look like. */
export function inOrder<Item>(list: readonly Item[]): Item[] {
  return list.toSorted((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
}
