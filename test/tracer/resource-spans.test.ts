import assert from 'node:assert/strict';
import { AsyncResource } from 'node:async_hooks';
import { promises as dns } from 'node:dns';
import { once } from 'node:events';
import { readFile } from 'node:fs';
import { createServer, get, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { promisify } from 'node:util';

import { context, SpanKind } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  SimpleSpanProcessor,
  type ReadableSpan,
} from '@opentelemetry/sdk-trace-base';

import { showInSpan } from '../../src/async/collecting.ts';
import { AsyncResourceTracer } from '../../src/tracer/async-resource-tracer.ts';
import { writeResourceSpans } from '../../src/tracer/resource-spans.ts';
import { SplitSpanProcessor } from '../../src/tracer/split-span-processor.ts';

describe('writeResourceSpans', () => {
  const exporter = new InMemorySpanExporter();
  let tracer: AsyncResourceTracer;
  let server: Server;
  let base: string;

  before(async () => {
    context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
    tracer = new AsyncResourceTracer({ level: 'watch' }).start();
    const split = new SplitSpanProcessor(tracer, {
      onRootSpan: (owner) => tracer.traceOwner(owner),
    });
    const provider = new BasicTracerProvider({
      spanProcessors: [split, new SimpleSpanProcessor(exporter)],
    });
    const spans = provider.getTracer('test');
    tracer.onTrace((group) => void writeResourceSpans(group, { tracer: spans }));
    server = createServer((_request, response) => {
      void spans.startActiveSpan('GET /', { kind: SpanKind.SERVER, root: true }, async (span) => {
        await dns.lookup('localhost');
        await spans.startActiveSpan('inner', async (inner) => {
          await promisify(readFile)('/etc/hosts');
          inner.end();
        });
        for (let i = 0; i < 5000; i++) await Promise.resolve(i);
        const queued = new AsyncResource('app.queue', { requireManualDestroy: true });
        Object.assign(queued, { description: 'resize' });
        const query = new AsyncResource('APP_QUERY', { requireManualDestroy: true });
        const shown = spans.startSpan('SELECT', { kind: SpanKind.CLIENT });
        showInSpan(query.asyncId(), shown);
        await new Promise<void>((resolve) => {
          query.runInAsyncScope(() => readFile('/etc/hosts', () => resolve()));
        });
        query.runInAsyncScope(() => {
          shown.end();
          setTimeout(() => {
            queued.runInAsyncScope(() => span.end());
            queued.emitDestroy();
            query.emitDestroy();
            response.end();
          }, 5);
        });
      });
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    await new Promise((resolve) => {
      get(base, (response) => response.resume().on('end', resolve));
    });
    tracer.stop();
  });

  after(async () => {
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  });

  const spans = (): ReadableSpan[] => exporter.getFinishedSpans();
  const named = (name: string): ReadableSpan => {
    const span = spans().find((one) => one.name === name);
    assert.ok(
      span,
      `no ${name} among ${spans()
        .map((one) => one.name)
        .join(', ')}`,
    );
    return span;
  };

  it('puts each wait under the span that was active, in the trace of its request', () => {
    const root = named('GET /');
    assert.equal(named('dns lookup').parentSpanContext?.spanId, root.spanContext().spanId);
    assert.equal(named('fs').parentSpanContext?.spanId, named('inner').spanContext().spanId);
    for (const span of spans())
      assert.equal(span.spanContext().traceId, root.spanContext().traceId);
  });

  it('leaves no span without its parent and none that ends when it starts', () => {
    const ids = new Set(spans().map((span) => span.spanContext().spanId));
    const roots = spans().filter((span) => !span.parentSpanContext);
    assert.equal(roots.length, 1);
    for (const span of spans()) {
      if (span.parentSpanContext) assert.ok(ids.has(span.parentSpanContext.spanId), span.name);
      assert.ok(span.duration[0] > 0 || span.duration[1] >= 1000, span.name);
    }
  });

  it('makes tens of spans of a request with ten thousand promises, and reports how many were folded', () => {
    assert.ok(spans().length < 60, `${spans().length} spans`);
    const { attributes } = named('async resources');
    assert.ok(Number(attributes['clew.async_resource.folded']) >= 10_000);
  });

  it('records what the async resource was', () => {
    const { attributes } = named('dns lookup');
    assert.equal(attributes['clew.async_resource.type'], 'GETADDRINFOREQWRAP');
    assert.equal(attributes['clew.async_resource.description'], 'localhost');
    for (const name of ['id', 'trigger_id', 'execution_id', 'callbacks', 'folded', 'run_ms']) {
      assert.equal(typeof attributes[`clew.async_resource.${name}`], 'number', name);
    }
    const operation = named('app.queue').attributes;
    assert.equal(operation['clew.async_resource.description'], 'resize');
  });

  it('shows the resource of an operation in the span of that operation', () => {
    assert.ok(!spans().some(({ name }) => name === 'APP_QUERY'));
    const { attributes } = named('SELECT');
    assert.equal(attributes['clew.async_resource.type'], 'APP_QUERY');
    assert.equal(attributes['clew.async_resource.callbacks'], 2);
    for (const name of ['id', 'trigger_id', 'execution_id', 'run_ms']) {
      assert.equal(typeof attributes[`clew.async_resource.${name}`], 'number', name);
    }
  });

  it('puts what an operation triggered below it, and links what began after its end', () => {
    const query = named('SELECT').spanContext();
    const below = spans().filter((span) => span.parentSpanContext?.spanId === query.spanId);
    assert.deepEqual(
      below.map(({ name }) => name),
      ['fs'],
    );
    const timer = named('timer');
    assert.equal(timer.parentSpanContext?.spanId, named('GET /').spanContext().spanId);
    const relations = timer.links.map(({ attributes }) => attributes?.['clew.link']);
    assert.ok(relations.includes('triggered_by'), relations.join(', '));
  });

  it('records when each callback ran', () => {
    const { attributes } = named('timer');
    const [before = 0, after = 0] = attributes['clew.async_resource.running'] as number[];
    assert.ok(before >= 4000 && after >= before, `${before} to ${after} microseconds`);
  });

  it('lies within the times of the request', () => {
    const root = named('GET /');
    const millis = ([seconds, nanos]: readonly [number, number]): number =>
      seconds * 1e3 + nanos / 1e6;
    const lookup = named('dns lookup');
    assert.ok(millis(lookup.startTime) >= millis(root.startTime) - 2);
    assert.ok(millis(lookup.endTime) <= millis(root.endTime) + 2);
  });

  it('puts no times of its own on the spans it writes', () => {
    assert.equal(named('dns lookup').attributes['clew.run.ms'], undefined);
    assert.equal(typeof named('GET /').attributes['clew.run.ms'], 'number');
  });
});
