import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { gunzipSync } from 'node:zlib';

import { decodeRequest } from '../../test/support/otlp-protobuf.ts';
import type { OtlpRequest } from '../../test/support/otlp-types.ts';

/*
 * What the tools send to, in a process of its own: OTLP over HTTP, a Datadog agent and a Sentry
 * server. It counts bytes. While it is asked to keep them, it keeps the bodies, and reads them when
 * it is asked for the traces: reading them all would take the processor from the service.
 *
 * Messages: `keep`, answered at once; `traces`, answered with `{ traces }`, the names of the spans
 * by their trace; `bytes`, answered with `{ bytes }` since the last time.
 */
interface Kept {
  url: string;
  type: string;
  body: Buffer;
}
interface Found {
  trace: string;
  name: string;
}

let bytes = 0;
let isKeeping = false;
let kept: Kept[] = [];

const server = createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    if (isKeeping) chunks.push(chunk);
  });
  request.on('end', () => {
    const { url = '', headers } = request;
    if (isKeeping) {
      const body = Buffer.concat(chunks);
      const isZipped = headers['content-encoding'] === 'gzip';
      const type = headers['content-type'] ?? '';
      kept.push({ url, type, body: isZipped ? gunzipSync(body) : body });
    }
    // An OTLP receiver answers in the format it was asked in; the others take JSON.
    const isProtobuf = headers['content-type'] === 'application/x-protobuf';
    response.setHeader('content-type', isProtobuf ? 'application/x-protobuf' : 'application/json');
    response.end(isProtobuf ? '' : url === '/info' ? '{"endpoints":["/v0.4/traces"]}' : '{}');
  });
}).listen(0, '127.0.0.1', () => process.send?.({ port: (server.address() as AddressInfo).port }));

process.on('message', (message) => {
  if (message === 'keep') {
    isKeeping = true;
    process.send?.({});
  } else if (message === 'traces') {
    isKeeping = false;
    const traces: Record<string, string[]> = {};
    for (const { trace, name } of kept.flatMap(spansIn)) (traces[trace] ??= []).push(name);
    kept = [];
    process.send?.({ traces });
  } else {
    process.send?.({ bytes });
    bytes = 0;
  }
});
process.on('disconnect', () => process.exit());

function spansIn({ url, type, body }: Kept): Found[] {
  if (url.endsWith('/v1/traces')) {
    return spansOfOtlp(
      type === 'application/json'
        ? (JSON.parse(body.toString()) as OtlpRequest)
        : decodeRequest(body),
    );
  }
  if (/\/v0\.\d\/traces/.test(url)) return spansOfDatadog(body);
  if (url.includes('/envelope')) return spansOfSentry(body.toString());
  return [];
}

function spansOfOtlp({ resourceSpans }: OtlpRequest): Found[] {
  return resourceSpans
    .flatMap(({ scopeSpans }) => scopeSpans)
    .flatMap(({ spans }) => spans)
    .map(({ traceId, name }) => ({ trace: traceId, name }));
}

function spansOfDatadog(body: Buffer): Found[] {
  const load = createRequire(`${process.env['APP_FOLDER']}/index.js`);
  const { decode } = load('@msgpack/msgpack') as {
    decode(this: void, bytes: Buffer, options: { useBigInt64: boolean }): unknown;
  };
  const traces = decode(body, { useBigInt64: true }) as { trace_id: bigint; name: string }[][];
  return traces.flat().map(({ trace_id: id, name }) => ({ trace: String(id), name }));
}

/** An envelope is a line of header and then, for each item, its header and its payload. */
function spansOfSentry(envelope: string): Found[] {
  interface Item {
    type?: string;
    transaction?: string;
    spans?: { trace_id: string; description?: string }[];
    items?: { trace_id: string; name: string }[];
    contexts?: { trace?: { trace_id: string } };
  }
  return envelope
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as Item)
    .flatMap(({ transaction, contexts, spans = [], items = [] }) => [
      ...(transaction && contexts?.trace
        ? [{ trace: contexts.trace.trace_id, name: transaction }]
        : []),
      ...spans.map((span) => ({ trace: span.trace_id, name: span.description ?? '' })),
      ...items.map((span) => ({ trace: span.trace_id, name: span.name })),
    ]);
}
