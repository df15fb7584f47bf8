import assert from 'node:assert/strict';

import {
  createTraceState,
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  trace,
} from '@opentelemetry/api';
import { ProtobufTraceSerializer } from '@opentelemetry/otlp-transformer';
import { resourceFromAttributes } from '@opentelemetry/resources';
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  SimpleSpanProcessor,
  type ReadableSpan,
} from '@opentelemetry/sdk-trace-base';

import { ByteWriter } from '../../../src/export/encoding/byte-writer.ts';
import {
  encodeResource,
  encodeScope,
  encodeSpan,
} from '../../../src/export/encoding/encode-span.ts';
import { beginFrame, endFrame, SPAN } from '../../../src/export/encoding/frame-format.ts';
import { protobufToJson } from '../../../src/export/encoding/otlp-json.ts';
import { buildBody } from '../../../src/export/encoding/request-body.ts';
import { decodeRequest } from '../../support/otlp-protobuf.ts';
import type { OtlpRequest, OtlpSpan } from '../../support/otlp-types.ts';
import { toObject } from '../../support/otlp-types.ts';
import { makeSlice, makeSpan } from '../support/spans.ts';

function encode(span: ReadableSpan): Buffer {
  const writer = new ByteWriter(16);
  const start = beginFrame(writer, SPAN, 0);
  encodeSpan(writer, span);
  endFrame(writer, start, false);
  const origin = {
    resource: encodeResource(span.resource),
    scope: encodeScope(span.instrumentationScope),
  };
  const buffer = Buffer.from(writer.buffer.subarray(0, writer.position));
  const slice = { buffer, from: 0, to: buffer.length, count: 1, sequence: 1 };
  return buildBody([{ ...slice, origins: new Map([[0, origin]]) }]);
}

function record(make: (provider: BasicTracerProvider) => void): ReadableSpan[] {
  const memory = new InMemorySpanExporter();
  const provider = new BasicTracerProvider({
    resource: resourceFromAttributes({ 'service.name': 'söme shop', 'process.pid': 77 }),
    spanProcessors: [new SimpleSpanProcessor(memory)],
  });
  make(provider);
  return memory.getFinishedSpans();
}

const LONG = 'SELECT * FROM orders WHERE note = $1 -- ' + 'x'.repeat(300);

/** A span that uses every field, with values around the places where encodings change length. */
function richSpans(): ReadableSpan[] {
  return record((provider) => {
    const tracer = provider.getTracer('scöpe', '1.2.3', { schemaUrl: 'https://example.test/1' });
    const parent = trace.setSpanContext(ROOT_CONTEXT, {
      traceId: 'abcdef0123456789abcdef0123456789',
      spanId: 'fedcba9876543210',
      traceFlags: 1,
      isRemote: true,
      traceState: createTraceState('a=1,b=2'),
    });
    const start: [number, number] = [1_763_000_000, 999_999_999];
    const attributes = {
      empty: '',
      short: 'x',
      édge: 'ü'.repeat(20),
      'len 39': 'a'.repeat(39),
      'len 40': 'a'.repeat(40),
      'len 63 of two bytes': 'é'.repeat(63),
      'len 64 of two bytes': 'é'.repeat(64),
      'len 119': 'b'.repeat(119),
      'len 127': 'c'.repeat(127),
      'len 128': 'd'.repeat(128),
      emoji: '🧶 thread '.repeat(12),
      long: LONG,
      'very long': 'é'.repeat(9000),
      zero: 0,
      small: 127,
      more: 128,
      int32: 2 ** 31,
      uint32: 2 ** 32 - 1,
      above: 2 ** 32,
      largest: Number.MAX_SAFE_INTEGER,
      'minus one': -1,
      'minus large': -(2 ** 40),
      smallest: Number.MIN_SAFE_INTEGER,
      ratio: 0.1,
      yes: true,
      no: false,
      strings: ['a', 'bb', 'é'],
      numbers: [1, -2, 3.5],
      flags: [true, false],
      many: Array.from({ length: 100 }, (_, i) => `value ${i}`),
      none: [],
    };
    const span = tracer.startSpan(
      'GET /orders',
      {
        kind: SpanKind.SERVER,
        startTime: start,
        attributes,
        links: [
          { context: { traceId: '1'.repeat(32), spanId: '2'.repeat(16), traceFlags: 0 } },
          {
            context: {
              traceId: '3'.repeat(32),
              spanId: '4'.repeat(16),
              traceFlags: 1,
              isRemote: true,
              traceState: createTraceState('k=v'),
            },
            attributes: { why: 'waited' },
          },
        ],
      },
      parent,
    );
    span.addEvent('exception', { 'exception.message': LONG, attempt: 2 }, [1_763_000_001, 5]);
    span.addEvent('bare', [1_763_000_001, 6]);
    span.setStatus({ code: SpanStatusCode.ERROR, message: 'ünmöglich '.repeat(20) });
    span.end([1_763_000_002, 7]);
    const plain = tracer.startSpan('plain', { startTime: 1_763_000_000_000, root: true });
    plain.setStatus({ code: SpanStatusCode.OK });
    plain.end([1_763_000_001, 0]);
  });
}

describe('encodeSpan', () => {
  it('writes what the SDK’s own serialiser writes, field by field', () => {
    for (const span of richSpans()) {
      const theirs = decodeRequest(
        Buffer.from(ProtobufTraceSerializer.serializeRequest([span]) as Uint8Array),
      );
      assert.deepEqual(withoutDefaults(decodeRequest(encode(span))), withoutDefaults(theirs));
    }
  });

  it('becomes the same in OTLP/JSON', () => {
    for (const span of richSpans()) {
      const body = encode(span);
      const json = JSON.parse(protobufToJson(body).toString()) as OtlpRequest;
      assert.deepEqual(withoutDefaults(json), withoutDefaults(decodeRequest(body)));
    }
  });

  it('lets no span end before a microsecond has passed, for which Jaeger would warn', () => {
    const time = [1_700_000_000, 999_999_500] as [number, number];
    for (const endTime of [time, [1_700_000_000, 0] as [number, number]]) {
      const span = decodeOne(makeSpan({ startTime: time, endTime }));
      assert.equal(span.startTimeUnixNano, '1700000000999999500');
      assert.equal(span.endTimeUnixNano, '1700000001000000500');
    }
  });

  it('takes values of api 1.10 and refuses to follow a circle', () => {
    const circle: Record<string, unknown> = { name: 'loop' };
    circle['self'] = circle;
    const attributes = { map: { a: 1, b: ['x', null] }, bytes: new Uint8Array([1, 2]), big: 7n };
    const span = decodeOne(makeSpan({ attributes: { ...attributes, circle } as never }));
    const read = toObject(span.attributes);
    assert.deepEqual(read['map'], { a: 1, b: ['x', null] });
    assert.equal(read['bytes'], 'AQI=');
    assert.equal(read['big'], '7');
    assert.match(JSON.stringify(read['circle']), /nested too deeply/);
  });

  it('leaves out what is undefined and survives lone surrogates and broken ids', () => {
    const spanContext = () => ({ traceId: 'no hex at all!', spanId: 'é', traceFlags: 1 });
    const attributes = { gone: undefined, odd: '\ud800' };
    const span = decodeOne(makeSpan({ spanContext, attributes }));
    assert.deepEqual(toObject(span.attributes), { odd: '\ufffd' });
  });
});

function decodeOne(span: ReturnType<typeof makeSpan>): OtlpSpan {
  const request = decodeRequest(buildBody([makeSlice([span])]));
  return request.resourceSpans[0]?.scopeSpans[0]?.spans[0] as OtlpSpan;
}

/** proto3 does not tell a default from an absence; writers differ in which they choose. */
function withoutDefaults(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutDefaults);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value)
    .map(([key, inner]) => [key, withoutDefaults(inner)] as const)
    .filter(([key, inner]) => {
      if (key.endsWith('Value') && key !== 'arrayValue') return true;
      if (Array.isArray(inner)) return inner.length > 0;
      return inner !== 0 && inner !== '' && JSON.stringify(inner) !== '{}';
    });
  return Object.fromEntries(entries);
}
