import assert from 'node:assert/strict';

import { isSpanContextValid, propagation, trace, type TextMapPropagator } from '@opentelemetry/api';
import {
  CompositePropagator,
  W3CBaggagePropagator,
  W3CTraceContextPropagator,
} from '@opentelemetry/core';
import { B3Propagator } from '@opentelemetry/propagator-b3';
import { JaegerPropagator } from '@opentelemetry/propagator-jaeger';
import fc from 'fast-check';

import { outcomeOfStatus } from '../../../src/export/sender/outcome.ts';
import { readResponse } from '../../../src/export/encoding/otlp-response.ts';
import { attributesOfRequest } from '../../../src/instrumentation/http/server/request-attributes.ts';
import { resolveServerConfig } from '../../../src/instrumentation/http/server/server-config.ts';
import { contextIn } from '../../../src/instrumentation/messaging/carrier.ts';
import { extracted } from '../../../src/instrumentation/processes/carrier.ts';
import { RecordHeaderVerifier } from '../../../src/tracer/recording/signed-header.ts';
import { damagedText } from '../damage.ts';
import type { Target } from '../target.ts';

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const SPAN = 'b7ad6b7169203331';
const TOKENS = [
  ',',
  ';',
  '=',
  ':',
  '-',
  '%',
  '%ff',
  '"',
  '[',
  ']',
  '::ffff:',
  '127.0.0.1',
  '__proto__',
];

const HEADERS: Readonly<Record<string, readonly string[]>> = {
  traceparent: [`00-${TRACE}-${SPAN}-01`],
  tracestate: ['a=1,b@c=2'],
  baggage: ['user=alice;ttl=1,key=v%20w'],
  b3: [`${TRACE}-${SPAN}-1`],
  'uber-trace-id': [`${TRACE}:${SPAN}:0:1`],
  forwarded: ['for=192.0.2.60;proto=https;host=a.b, for="[2001:db8::1]:4711"'],
  'x-forwarded-for': ['192.0.2.1, 10.0.0.1:80', '[::1]:80'],
  'x-forwarded-proto': ['https, http'],
  'x-forwarded-host': ['example.com:8080'],
  host: ['example.com:8080', '[::1]:8080'],
  'user-agent': ['curl/8'],
  'content-length': ['12'],
  'x-clew-record': [`v1.9999999999.abc.${'0'.repeat(64)}`],
  'retry-after': ['120', 'Wed, 21 Oct 2026 07:28:00 GMT'],
  'content-type': ['application/json'],
};
/** As long as Node takes headers, in bytes. */
const MAX_HEADER = 16 * 1024;
const asHeader = (text: string): string => text.slice(0, MAX_HEADER);

type Headers = Readonly<Record<string, string | undefined>>;

const config = resolveServerConfig({
  trustedProxies: ['loopback', '10.0.0.0/8'],
  requestHeaders: ['x-forwarded-for', 'user-agent'],
});
const verifier = new RecordHeaderVerifier('a secret of sixteen');
const propagator: TextMapPropagator = new CompositePropagator({
  propagators: [
    new W3CTraceContextPropagator(),
    new W3CBaggagePropagator(),
    new B3Propagator(),
    new JaegerPropagator(),
  ],
});

function assertContext(carrier: unknown): void {
  propagation.setGlobalPropagator(propagator);
  try {
    for (const context of [extracted(carrier), contextIn(carrier)]) {
      const found = context && trace.getSpanContext(context);
      // What is invalid is no parent to the SDK, and no link to ours.
      if (!found || !isSpanContextValid(found)) continue;
      assert.match(found.traceId, /^[0-9a-f]{32}$/i);
      assert.match(found.spanId, /^[0-9a-f]{16}$/i);
    }
  } finally {
    propagation.disable();
  }
}

/** Headers of requests that come in, of messages, and of a collector's answers. */
export const headers: Target<[Headers, string, string]> = {
  input: fc.tuple(
    fc.record(
      Object.fromEntries(
        Object.entries(HEADERS).map(([name, samples]) => [
          name,
          damagedText(samples, TOKENS).map(asHeader),
        ]),
      ),
      { requiredKeys: [] },
    ) as fc.Arbitrary<Headers>,
    damagedText(
      ['/orders/7?sig=abc&a=b', 'http://u:p@h/x?y', '*', '/%'],
      ['?', '&', '#', '%', '//'],
    ),
    damagedText([
      '{"partialSuccess":{"rejectedSpans":"3","errorMessage":"no"}}',
      '\n\u0005\b\u0003\u0012\u0001x',
    ]),
  ),
  check([found, url, answer]) {
    const head = {
      method: 'GET',
      url,
      headers: found,
      authority: found['host'],
      scheme: 'http',
      version: '1.1',
      socket: { remoteAddress: '127.0.0.1', remotePort: 1, localAddress: '::1', localPort: 80 },
    };
    const attributes = attributesOfRequest(
      head,
      { method: 'GET', name: 'GET', original: undefined },
      config,
    );
    for (const [name, value] of Object.entries(attributes)) {
      const values = [value].flat();
      for (const one of values) {
        const isPlain = typeof one === 'string' || Number.isSafeInteger(one);
        assert.ok(isPlain, `${name} is ${String(one)}`);
      }
    }
    const port = Number(attributes['server.port'] ?? 0);
    assert.ok(port >= 0 && port <= 65_535, `server.port is ${port}`);
    assertContext(found);
    assert.equal(verifier.accepts(found['x-clew-record'], 'GET', url), false);
    const outcome = outcomeOfStatus(503, found['retry-after'], 0);
    if (outcome.kind === 'unavailable') assert.ok((outcome.retryAfterMillis ?? 0) >= 0);
    for (const type of ['application/json', 'application/x-protobuf']) {
      const { rejected, message } = readResponse(Buffer.from(answer, 'latin1'), type);
      assert.ok(rejected >= 0 && Number.isFinite(rejected), `${rejected} rejected`);
      assert.equal(typeof message, 'string');
    }
  },
};
