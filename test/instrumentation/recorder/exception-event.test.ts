import assert from 'node:assert/strict';

import { InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base';
import { BasicTracerProvider, type ReadableSpan } from '@opentelemetry/sdk-trace-base';

import { addExceptionEvent } from '../../../src/instrumentation/recorder/exception-event.ts';
import { requireService } from '../../support/services.ts';
import { getInstrumentations } from '../../../src/instrumentation/index.ts';

const SECRET = 'hunter2';

describe('an exception event', () => {
  function eventOf(error: unknown, message?: string): ReadableSpan['events'][number] | undefined {
    const exporter = new InMemorySpanExporter();
    const provider = new BasicTracerProvider({
      spanProcessors: [new SimpleSpanProcessor(exporter)],
    });
    const span = provider.getTracer('test').startSpan('x');
    addExceptionEvent(span, error, message);
    span.end();
    return exporter.getFinishedSpans()[0]?.events[0];
  }

  it('has the type, the message that may be shown, and the frames below it', () => {
    const { name, attributes } = eventOf(new TypeError(`value ${SECRET}`), 'value ?') ?? {};
    assert.equal(name, 'exception');
    assert.equal(attributes?.['exception.type'], 'TypeError');
    assert.equal(attributes?.['exception.message'], 'value ?');
    const [first, second] = String(attributes?.['exception.stacktrace']).split('\n');
    assert.equal(first, 'TypeError: value ?');
    assert.match(second ?? '', /^ {4}at .*exception-event\.test/);
    assert.ok(!JSON.stringify(attributes).includes(SECRET));
  });

  it('shows nothing of a message that has lines like frames, also where it was changed later', () => {
    const lines = `no\n    at ${SECRET}\n    at ${SECRET} (x)\nend`;
    const error = new Error(lines);
    assert.ok(!JSON.stringify(eventOf(error, 'no')?.attributes).includes(SECRET));
    const last = new Error(`no\n    at ${SECRET}`);
    last.message = 'changed';
    const { attributes } = eventOf(last, 'changed') ?? {};
    assert.ok(!JSON.stringify(attributes).includes(SECRET));
    assert.match(String(attributes?.['exception.stacktrace']), /exception-event\.test/);
  });

  it('has a type alone where nothing else can be had', () => {
    const hostile = new Error('x');
    Object.defineProperty(hostile, 'stack', {
      get: () => {
        throw new Error('planted');
      },
    });
    assert.deepEqual(eventOf(hostile)?.attributes, { 'exception.type': 'Error' });
    assert.deepEqual(eventOf('a text')?.attributes, { 'exception.type': 'string' });
    assert.deepEqual(eventOf(null)?.attributes, { 'exception.type': 'object' });
  });

  it('holds at most fifty frames', () => {
    const error = new Error('deep');
    error.stack = `Error: deep\n${'    at a (b.js:1:2)\n'.repeat(200)}`;
    const stack = String(eventOf(error, 'deep')?.attributes?.['exception.stacktrace']);
    assert.equal(stack.split('\n').length, 51);
  });

  it('is on the span of a query that fails, without the values in it', async function () {
    this.timeout(120_000);
    const connectionString = await requireService(this, 'postgresql');
    const exporter = new InMemorySpanExporter();
    const provider = new BasicTracerProvider({
      spanProcessors: [new SimpleSpanProcessor(exporter)],
    });
    const [instrumentation] = getInstrumentations();
    instrumentation?.setTracerProvider(provider);
    instrumentation?.enable();
    const { default: pg } = await import('pg');
    const client = new pg.Client({ connectionString });
    await client.connect();
    try {
      await assert.rejects(client.query('SELECT $1::int', [SECRET]));
      const span = exporter.getFinishedSpans().find(({ events }) => events.length > 0);
      const attributes = span?.events[0]?.attributes;
      assert.equal(attributes?.['exception.type'], 'DatabaseError');
      assert.match(String(attributes?.['exception.stacktrace']), /^DatabaseError: .*\n {4}at /);
      assert.ok(!JSON.stringify(span?.events).includes(SECRET));
    } finally {
      await client.end();
      instrumentation?.disable();
    }
  });
});
