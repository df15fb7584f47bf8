import assert from 'node:assert/strict';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';

import { context, trace } from '@opentelemetry/api';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { BasicTracerProvider } from '@opentelemetry/sdk-trace-base';

import { DeliverySpanProcessor } from '../../src/export/delivery.ts';
import { JaegerQuery } from '../support/jaeger-query.ts';
import { requireService } from '../support/services.ts';

/** A way to Jaeger that can be closed and opened again, as its restart would. */
class Gate {
  readonly #port: number;
  readonly #sockets = new Set<Socket>();
  #server: Server | undefined;
  #own = 0;

  constructor(port: number) {
    this.#port = port;
  }

  get url(): string {
    return `http://127.0.0.1:${this.#own}/v1/traces`;
  }

  async open(): Promise<void> {
    this.#server = createServer((socket) => {
      const onward = connect(this.#port, '127.0.0.1');
      for (const end of [socket, onward]) {
        this.#sockets.add(end);
        end.on('error', () => undefined).once('close', () => this.#sockets.delete(end));
      }
      socket.pipe(onward).pipe(socket);
    }).listen(this.#own, '127.0.0.1');
    await once(this.#server, 'listening');
    this.#own = (this.#server.address() as AddressInfo).port;
  }

  async close(): Promise<void> {
    const closed = this.#server && once(this.#server, 'close');
    this.#server?.close();
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }
}

describe('delivery into a real Jaeger', function () {
  this.timeout(120_000);
  let query: JaegerQuery;
  let gate: Gate;

  before(async function () {
    const url = new URL(await requireService(this, 'jaeger'));
    query = new JaegerQuery(url.origin);
    gate = new Gate(Number(url.searchParams.get('otlp') ?? 4318));
    await gate.open();
  });
  after(async () => gate?.close());

  it('shows every span once and warns of none, although Jaeger was away', async () => {
    const delivery = new DeliverySpanProcessor({
      url: gate.url,
      backoff: { initialMillis: 20, maxMillis: 200 },
      scheduleDelayMillis: 10,
    });
    const resource = resourceFromAttributes({ 'service.name': 'clew-test', 'host.name': 'test' });
    const provider = new BasicTracerProvider({ resource, spanProcessors: [delivery] });
    const tracer = provider.getTracer('test');
    const root = tracer.startSpan('root');
    const inside = trace.setSpan(context.active(), root);
    const endChildren = (count: number): void => {
      for (let i = 0; i < count; i++) tracer.startSpan(`child ${i}`, {}, inside).end();
    };
    endChildren(20);
    await delivery.forceFlush();
    await gate.close();
    endChildren(20);
    await new Promise((resolve) => setTimeout(resolve, 500));
    await gate.open();
    root.end();
    await delivery.shutdown();
    const { traceId, spanId } = root.spanContext();
    const spans = await query.waitForTrace(traceId, 41);
    assert.equal(spans.size, 41);
    for (const [id, span] of spans) {
      assert.equal(span.parentSpanId, id === spanId ? undefined : spanId);
    }
    assert.deepEqual(await query.warningsOf(traceId), []);
    assert.equal(delivery.stats().accepted, 41);
  });
});
