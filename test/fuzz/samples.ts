import { SpanStatusCode } from '@opentelemetry/api';

import type { EndedSpan } from '../../src/export/encoding/span-shape.ts';
import { makeSpan } from '../export/support/spans.ts';
import { BROKEN_TRACES } from '../viewer/support/broken-traces.ts';
import { otlp } from '../viewer/support/spans.ts';

/** A span that has a value in each of its fields. */
export const FULL_SPAN: EndedSpan = makeSpan({
  name: 'GET /orders/:id',
  attributes: { 'http.route': '/orders/:id', count: -3, ratio: 0.5, ok: true, tags: ['a', 'é'] },
  events: [{ name: 'exception', time: [1_700_000_000, 5], attributes: { 'exception.type': 'E' } }],
  links: [{ context: makeSpan().spanContext(), attributes: { why: 'batch' } }],
  status: { code: SpanStatusCode.ERROR, message: 'it failed' },
});

/** Export requests in OTLP/JSON: every kind of value, and traces that are broken as senders break them. */
export const OTLP_REQUESTS: readonly object[] = [
  otlp(
    {
      id: '1',
      name: 'GET /orders',
      end: 40,
      attributes: {
        'http.route': '/orders',
        'clew.run.ms': 1.5,
        'clew.blocked_by': 'GET /slow',
        'clew.blocked_by.ms': 3,
        list: [1, 'two', { three: [true] }],
        big: 2 ** 52,
      },
      links: [{ trace: 'ab', span: '7', attributes: { why: 'batch' } }],
    },
    {
      id: '2',
      parent: '1',
      name: 'SELECT',
      start: 2,
      end: 9,
      failed: 'no such table',
      attributes: { 'db.system.name': 'postgresql', 'clew.finding': 'CLEW-LOST-1' },
      events: [{ name: 'exception', at: 8, attributes: { 'exception.stacktrace': 'E: x\n at y' } }],
    },
  ),
  {
    resourceSpans: [
      {
        resource: { attributes: [{ key: 'service.name', value: { stringValue: 'shop' } }] },
        scopeSpans: [
          {
            scope: { name: 's' },
            spans: [
              {
                traceId: '0af7651916cd43dd8448eb211c80319c',
                spanId: 'b7ad6b7169203331',
                name: 'x',
                kind: 'SPAN_KIND_SERVER',
                startTimeUnixNano: '1700000000000000000',
                endTimeUnixNano: '1700000000001000000',
                traceState: 'a=1',
                droppedAttributesCount: 2,
                attributes: [
                  { key: 'b', value: { bytesValue: 'AAE=' } },
                  { key: 'd', value: { doubleValue: 'NaN' } },
                  { key: 'i', value: { intValue: '9223372036854775807' } },
                ],
              },
            ],
          },
        ],
      },
    ],
  },
  ...BROKEN_TRACES.map(({ spans }) => otlp(...spans)),
];
