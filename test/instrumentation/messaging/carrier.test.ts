import assert from 'node:assert/strict';

import {
  context,
  propagation,
  ROOT_CONTEXT,
  trace,
  TraceFlags,
  type Context,
} from '@opentelemetry/api';
import {
  CompositePropagator,
  W3CBaggagePropagator,
  W3CTraceContextPropagator,
} from '@opentelemetry/core';
import { B3InjectEncoding, B3Propagator } from '@opentelemetry/propagator-b3';

import { carrierOf, contextIn } from '../../../src/instrumentation/messaging/carrier.ts';

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const SPAN = 'b7ad6b7169203331';
const TRACEPARENT = `00-${TRACE}-${SPAN}-01`;
const HERE: Context = trace.setSpanContext(ROOT_CONTEXT, {
  traceId: TRACE,
  spanId: SPAN,
  traceFlags: TraceFlags.SAMPLED,
});
const traceIn = (carrier: unknown): string | undefined =>
  trace.getSpanContext(contextIn(carrier))?.traceId;

describe('The carrier of a message', () => {
  beforeEach(() => {
    propagation.setGlobalPropagator(
      new CompositePropagator({
        propagators: [new W3CTraceContextPropagator(), new W3CBaggagePropagator()],
      }),
    );
  });

  it('has the fields of the configured propagator', () => {
    assert.deepEqual(carrierOf(HERE), { traceparent: TRACEPARENT });
    propagation.disable();
    propagation.setGlobalPropagator(
      new B3Propagator({ injectEncoding: B3InjectEncoding.MULTI_HEADER }),
    );
    const carrier = carrierOf(HERE);
    assert.equal(carrier['x-b3-traceid'], TRACE);
    assert.equal(traceIn(carrier), TRACE);
  });

  for (const [form, value] of Object.entries({
    'a text': TRACEPARENT,
    'a buffer': Buffer.from(TRACEPARENT),
    'a part of a larger buffer': Buffer.from(`..${TRACEPARENT}..`).subarray(2, -2),
    bytes: new TextEncoder().encode(TRACEPARENT),
    'a list of one': [TRACEPARENT],
    'a list of one buffer': [Buffer.from(TRACEPARENT)],
  })) {
    it(`is read where its value is ${form}`, () => {
      assert.equal(traceIn({ traceparent: value }), TRACE);
    });
  }

  const loop: unknown[] = [];
  loop.push(loop);
  for (const [form, carrier] of Object.entries({
    nothing: undefined,
    null: null,
    'a number': 5,
    'a text': TRACEPARENT,
    'a list': [TRACEPARENT],
    'no trace context': { traceparent: 'hello' },
    'an id of zeros': { traceparent: `00-${'0'.repeat(32)}-${SPAN}-01` },
    'a number as value': { traceparent: 42 },
    'an object as value': { traceparent: { toString: () => TRACEPARENT } },
    'two values': { traceparent: [TRACEPARENT, TRACEPARENT] },
    'a list in itself': { traceparent: loop },
    'ten million characters': { traceparent: TRACEPARENT + 'x'.repeat(10e6) },
    'ten million bytes': { traceparent: Buffer.alloc(10e6, TRACEPARENT) },
    'a value of its prototype': Object.create({ traceparent: TRACEPARENT }) as object,
    'a prototype key': JSON.parse('{"__proto__":{"traceparent":"x"},"constructor":{}}') as object,
    'a getter that throws': {
      get traceparent(): string {
        throw new Error('hands off');
      },
    },
    'a proxy that throws': new Proxy(
      {},
      {
        ownKeys: () => {
          throw new Error('hands off');
        },
        getOwnPropertyDescriptor: () => {
          throw new Error('hands off');
        },
      },
    ),
  })) {
    it(`changes nothing where it is ${form}`, () => {
      const base = ROOT_CONTEXT.setValue(Symbol.for('test'), 1);
      const found = contextIn(carrier, base);
      assert.equal(trace.getSpanContext(found), undefined);
      assert.equal(found.getValue(Symbol.for('test')), 1);
    });
  }

  it('has its trace without a baggage that is too long', () => {
    const found = contextIn({ traceparent: TRACEPARENT, baggage: `a=${'b'.repeat(10e6)}` });
    assert.equal(trace.getSpanContext(found)?.traceId, TRACE);
    assert.equal(propagation.getBaggage(found), undefined);
  });

  it('leaves out what is longer than a header may be', () => {
    propagation.disable();
    propagation.setGlobalPropagator({
      inject: (_context, carrier, setter) => {
        setter.set(carrier, 'short', 'x'.repeat(8192));
        setter.set(carrier, 'long', 'x'.repeat(8193));
      },
      extract: (base) => base,
      fields: () => [],
    });
    assert.deepEqual(Object.keys(carrierOf(HERE)), ['short']);
  });

  it('is empty where a propagator throws', () => {
    const fail = (): never => {
      throw new Error('no');
    };
    propagation.disable();
    propagation.setGlobalPropagator({ inject: fail, extract: fail, fields: () => [] });
    assert.deepEqual(carrierOf(HERE), {});
    assert.equal(contextIn({ traceparent: TRACEPARENT }, HERE), HERE);
  });

  it('shows a propagator a hundred keys and no more', () => {
    let seen: string[] = [];
    propagation.disable();
    propagation.setGlobalPropagator({
      inject: () => undefined,
      extract: (base, carrier, getter) => {
        seen = getter.keys(carrier);
        return base;
      },
      fields: () => [],
    });
    contextIn(Object.fromEntries(Array.from({ length: 1000 }, (_, index) => [`k${index}`, 'v'])));
    assert.equal(seen.length, 100);
    assert.equal(context.active(), ROOT_CONTEXT);
  });
});
