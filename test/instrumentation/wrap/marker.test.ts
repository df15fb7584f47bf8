import assert from 'node:assert/strict';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { EventEmitter } from 'node:events';

import { context, ROOT_CONTEXT, trace, type Span } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  SimpleSpanProcessor,
  type ReadableSpan,
} from '@opentelemetry/sdk-trace-base';

import { RepairSpanProcessor } from '../../../src/instrumentation/rules/index.ts';
import { wrap } from '../../../src/instrumentation/wrap.ts';
import { Pool } from './support.ts';

describe('clew.repaired', () => {
  let exporter: InMemorySpanExporter;
  let provider: BasicTracerProvider;

  beforeEach(() => {
    context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
    exporter = new InMemorySpanExporter();
    provider = new BasicTracerProvider({
      spanProcessors: [new RepairSpanProcessor(), new SimpleSpanProcessor(exporter)],
    });
  });
  afterEach(() => provider.shutdown());

  const tracer = () => provider.getTracer('test');

  /** A request: its span is active in `fn`. */
  function request<T>(name: string, fn: (span: Span) => T): T {
    const span = tracer().startSpan(name, {}, ROOT_CONTEXT);
    try {
      return context.with(trace.setSpan(ROOT_CONTEXT, span), () => fn(span));
    } finally {
      span.end();
    }
  }

  const work = (name: string): void => tracer().startSpan(name).end();

  function finished(name: string): ReadableSpan {
    const found = exporter.getFinishedSpans().find((span) => span.name === name);
    assert.ok(found, name);
    return found;
  }

  it('is on the spans of a callback that a rule gave back to its caller', () => {
    const pool = new Pool();
    wrap(pool, { kind: 'args', method: 'acquire', module: 'my-pool' });
    const parent = request('A', (span) => {
      pool.acquire(() => work('query'));
      return span.spanContext().spanId;
    });
    request('B', () => pool.release());
    const span = finished('query');
    assert.equal(span.parentSpanContext?.spanId, parent);
    assert.equal(span.attributes['clew.repaired'], 'args:my-pool');
  });

  it('is on spans after an await in such a callback, and not on their children', async () => {
    const pool = new Pool();
    wrap(pool, { kind: 'args', method: 'acquire', module: 'my-pool' });
    let done: Promise<void> | undefined;
    request('A', () => {
      pool.acquire(() => {
        done = Promise.resolve().then(() => {
          const span = tracer().startSpan('late');
          context.with(trace.setSpan(context.active(), span), () => work('child'));
          span.end();
        });
      });
    });
    request('B', () => pool.release());
    await done;
    assert.equal(finished('late').attributes['clew.repaired'], 'args:my-pool');
    assert.equal(finished('child').attributes['clew.repaired'], undefined);
    assert.equal(
      finished('child').parentSpanContext?.spanId,
      finished('late').spanContext().spanId,
    );
  });

  it('is not there where the runtime carried the context by itself', () => {
    const pool = new Pool();
    wrap(pool, { kind: 'args', method: 'acquire', module: 'my-pool' });
    request('A', () => {
      pool.acquire(() => work('query'));
      pool.release();
    });
    assert.equal(finished('query').attributes['clew.repaired'], undefined);
  });

  it('is right also where a library answers one call from within another, however deep', () => {
    const pool = new Pool();
    wrap(pool, { kind: 'args', method: 'acquire' });
    const DEPTH = 300;
    const key = Symbol('caller');
    const seen: unknown[] = [];
    const all: (() => void)[] = [];
    for (let n = 0; n < DEPTH; n++) {
      context.with(ROOT_CONTEXT.setValue(key, n), () => {
        pool.acquire(() => {
          seen.push(context.active().getValue(key));
          all.shift()?.();
        });
      });
    }
    all.push(...pool.waiting.splice(0));
    all.shift()?.();
    assert.deepEqual(
      seen,
      Array.from({ length: DEPTH }, (_, n) => n),
    );
  });

  it('leaves the application the very context it had when no processor reads the marks', async () => {
    await provider.shutdown();
    const pool = new Pool();
    wrap(pool, { kind: 'args', method: 'acquire' });
    let seen: unknown;
    const own = ROOT_CONTEXT.setValue(Symbol('own'), 1);
    context.with(own, () => pool.acquire(() => (seen = context.active())));
    pool.release();
    assert.equal(seen, own);
  });

  it('links the other callers of a batch, changes no parent and reports it', () => {
    const library = {
      cargo: (worker: (items: unknown[]) => void) => {
        const items: unknown[] = [];
        return {
          push: (item: unknown) => items.push(item),
          drain: () => worker(items.splice(0)),
        };
      },
    };
    const reports: any[] = [];
    const listener = (report: unknown): void => void reports.push(report);
    subscribe('clew:repair:ambiguous', listener);
    wrap(library, {
      kind: 'task',
      on: 'cargo()',
      method: 'push',
      worker: 0,
      batch: true,
      module: 'my-cargo',
    });
    const cargo = library.cargo(() => work('batch'));
    const ids = ['A', 'B'].map((name) =>
      request(name, (span) => {
        cargo.push(name);
        return span.spanContext().spanId;
      }),
    );
    const drainer = request('X', (span) => {
      cargo.drain();
      return span.spanContext().spanId;
    });
    unsubscribe('clew:repair:ambiguous', listener);
    const span = finished('batch');
    assert.equal(span.parentSpanContext?.spanId, drainer);
    assert.deepEqual(
      span.links.map((link) => link.context.spanId),
      ids,
    );
    assert.equal(span.attributes['clew.repaired'], undefined);
    assert.deepEqual(reports, [{ operation: 'my-cargo.push', rule: 'task:my-cargo', callers: 2 }]);
  });

  it('gives a batch of one caller to that caller', () => {
    const library = {
      cargo: (worker: (items: unknown[]) => void) => ({
        push: (item: unknown) => (): void => worker([item]),
      }),
    };
    const rule = { kind: 'task', on: 'cargo()', method: 'push', worker: 0, batch: true } as const;
    wrap(library, { ...rule, module: 'my-cargo' });
    const cargo = library.cargo(() => work('batch'));
    const drain = request('A', () => cargo.push('item'));
    request('X', () => drain());
    const span = finished('batch');
    assert.equal(span.parentSpanContext?.spanId, finished('A').spanContext().spanId);
    assert.equal(span.attributes['clew.repaired'], 'task:my-cargo');
  });

  it('links the spans of a listener to the span of who emitted', () => {
    const emitter = new EventEmitter();
    wrap(emitter, { kind: 'emitter', module: 'my-bus' });
    request('A', () => emitter.on('event', () => work('heard')));
    request('B', () => emitter.emit('event'));
    const span = finished('heard');
    assert.equal(span.parentSpanContext?.spanId, finished('A').spanContext().spanId);
    assert.deepEqual(
      span.links.map((link) => link.context.spanId),
      [finished('B').spanContext().spanId],
    );
    assert.equal(span.attributes['clew.repaired'], 'emitter:my-bus');
  });

  it('links the earlier callers of a coalesced run to the last one’s span', () => {
    const library = {
      coalesce: (fn: () => void) => Object.assign(() => undefined, { flush: () => fn() }),
    };
    wrap(library, { kind: 'latest', on: 'coalesce', module: 'my-debounce' });
    const coalesced = library.coalesce(() => work('save'));
    for (const name of ['A', 'B']) request(name, () => coalesced());
    request('X', () => coalesced.flush());
    const span = finished('save');
    assert.equal(span.parentSpanContext?.spanId, finished('B').spanContext().spanId);
    assert.deepEqual(
      span.links.map((link) => link.context.spanId),
      [finished('A').spanContext().spanId],
    );
    assert.equal(span.attributes['clew.repaired'], 'latest:my-debounce');
  });

  it('starts what a home rule moves without a parent, unless tracing is suppressed there', () => {
    const suppressed = ROOT_CONTEXT.setValue(
      Symbol.for('OpenTelemetry SDK Context Key SUPPRESS_TRACING'),
      true,
    );
    const pool = { create: () => context.active() };
    wrap(pool, { kind: 'root', method: 'create', leave: 'trace' });
    assert.equal(
      request('A', () => pool.create()),
      ROOT_CONTEXT,
    );
    assert.equal(
      context.with(suppressed, () => pool.create()),
      suppressed,
    );
  });
});
