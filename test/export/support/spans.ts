import { SpanKind, SpanStatusCode, type Attributes, type SpanContext } from '@opentelemetry/api';
import { BasicTracerProvider, type SpanProcessor } from '@opentelemetry/sdk-trace-base';

import type { EndedSpan } from '../../../src/export/encoding/span-shape.ts';
import { ByteWriter } from '../../../src/export/encoding/byte-writer.ts';
import {
  encodeResource,
  encodeScope,
  encodeSpan,
} from '../../../src/export/encoding/encode-span.ts';
import { beginFrame, endFrame, SPAN } from '../../../src/export/encoding/frame-format.ts';
import type { Slice } from '../../../src/export/encoding/request-body.ts';

let lastId = 0;

/** A plain object in the shape of an ended span; every call gives another span id. */
export function makeSpan(overrides: Partial<EndedSpan> = {}): EndedSpan {
  const spanId = (++lastId).toString(16).padStart(16, '0');
  const spanContext: SpanContext = {
    traceId: '0af7651916cd43dd8448eb211c80319c',
    spanId,
    traceFlags: 1,
  };
  return {
    name: 'SELECT users',
    kind: SpanKind.CLIENT,
    spanContext: () => spanContext,
    startTime: [1_700_000_000, 123_456_789],
    endTime: [1_700_000_000, 125_456_789],
    status: { code: SpanStatusCode.UNSET },
    attributes: { 'db.system.name': 'postgresql' },
    links: [],
    events: [],
    resource: { attributes: { 'service.name': 'shop' } },
    instrumentationScope: { name: 'clew/pg', version: '1.0.0' },
    droppedAttributesCount: 0,
    droppedEventsCount: 0,
    droppedLinksCount: 0,
    ...overrides,
  };
}

/** Spans as the sender gets them. */
export function makeSlice(spans: EndedSpan[], sequence = 1): Slice {
  const writer = new ByteWriter(1024);
  for (const span of spans) {
    const start = beginFrame(writer, SPAN, 0);
    encodeSpan(writer, span);
    endFrame(writer, start, true);
  }
  const origin = {
    resource: encodeResource({ attributes: { 'service.name': 'shop' } }),
    scope: encodeScope({ name: 'clew/pg', version: '1.0.0' }),
  };
  return {
    buffer: Buffer.from(writer.buffer.subarray(0, writer.position)),
    origins: new Map([[0, origin]]),
    from: 0,
    to: writer.position,
    count: spans.length,
    sequence,
  };
}

/** Ends `count` spans of an SDK 2.x provider with `processor`. */
export function endSpans(
  processor: SpanProcessor,
  count: number,
  attributes: Attributes = {},
): void {
  const provider = new BasicTracerProvider({ spanProcessors: [processor] });
  const tracer = provider.getTracer('test', '1.0.0');
  for (let i = 0; i < count; i++) {
    tracer
      .startSpan(`span ${i}`, { kind: SpanKind.CLIENT, attributes: { i, ...attributes } })
      .end();
  }
}
