import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import type { TlsOptions } from 'node:tls';
import { gunzipSync } from 'node:zlib';

import { decodeRequest } from './otlp-protobuf.ts';
import { toObject, type OtlpRequest, type OtlpScope, type OtlpSpan } from './otlp-types.ts';

/** A span as it arrived, beside what OTLP says once for many: its `Resource` and its scope. */
export interface ReceivedSpan extends OtlpSpan {
  resource: Record<string, unknown>;
  scope: OtlpScope;
}

/** One request to the receiver, decoded. */
export interface ReceivedRequest {
  /** Counts from 0, over the receiver's life. */
  index: number;
  url: string;
  headers: IncomingMessage['headers'];
  /** Bytes on the wire, before decompression. */
  bytes: number;
  spans: ReceivedSpan[];
}

/** What to do instead of answering 200 at once. What a fault does not accept is not collected. */
export interface Fault {
  /** Answer with this status; anything but 200 refuses the spans. */
  status?: number;
  headers?: Record<string, string>;
  body?: string;
  /** Wait before answering. */
  delayMillis?: number;
  /** Cut the connection: `before` the spans are taken, or `after`, so that a retry duplicates. */
  reset?: 'before' | 'after';
  /** Take nothing and never answer. */
  hang?: boolean;
  /** Answer 200 with a partial success that rejects these spans. */
  rejectSpans?: (span: ReceivedSpan) => boolean;
}

export interface ReceiverOptions {
  /** Ask for a fault at every request; also assignable later as `receiver.fault`. */
  fault?: ((request: ReceivedRequest) => Fault | undefined) | undefined;
  /** A fixed port, for a receiver that comes back where one went away. */
  port?: number;
  tls?: TlsOptions;
}

/**
 * An OTLP/HTTP trace receiver on a loopback port: protobuf and JSON, plain and gzip.
 *
 * `spans` holds what was accepted, in order of arrival, duplicates included.
 */
export class OtlpReceiver {
  readonly spans: ReceivedSpan[] = [];
  readonly requests: Omit<ReceivedRequest, 'spans'>[] = [];
  fault: ReceiverOptions['fault'];
  rejected = 0;
  #spanIds = new Set<string>();
  #sockets = new Set<Socket>();
  #waiting: (() => void)[] = [];
  #server: Server;
  #scheme: string;

  constructor(options: ReceiverOptions = {}) {
    this.fault = options.fault;
    this.#scheme = options.tls ? 'https' : 'http';
    const listener = (request: IncomingMessage, response: ServerResponse): void => {
      this.#handle(request, response).catch((error: unknown) => {
        response.writeHead(500).end(String(error));
      });
    };
    this.#server = options.tls ? createTlsServer(options.tls, listener) : createServer(listener);
    this.#server.on('connection', (socket: Socket) => {
      this.#sockets.add(socket);
      socket.once('close', () => this.#sockets.delete(socket));
    });
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** The value for `OTEL_EXPORTER_OTLP_ENDPOINT`. */
  get url(): string {
    return `${this.#scheme}://127.0.0.1:${this.port}`;
  }

  /** Accepted spans with different span ids. */
  get distinct(): number {
    return this.#spanIds.size;
  }

  /** Connections open now. */
  get connections(): number {
    return this.#sockets.size;
  }

  async listen(port = 0): Promise<this> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject).listen(port, '127.0.0.1', resolve);
    });
    return this;
  }

  /** Resolves once `count` different spans have arrived; rejects with the names of those that did. */
  async waitForSpans(count: number, timeoutMillis = 5000): Promise<ReceivedSpan[]> {
    await this.waitUntil(
      () => this.distinct >= count,
      timeoutMillis,
      () => {
        const names = this.spans.slice(0, 20).map((span) => span.name);
        return `${this.distinct} of ${count} spans arrived: ${names.join(', ')}`;
      },
    );
    return this.spans;
  }

  /** Resolves once `condition` holds; it is looked at after every request. */
  async waitUntil(
    condition: () => boolean,
    timeoutMillis = 5000,
    describe = (): string => 'the condition did not come true',
  ): Promise<void> {
    const deadline = Date.now() + timeoutMillis;
    while (!condition()) {
      const left = deadline - Date.now();
      if (left <= 0) throw new Error(`After ${timeoutMillis} ms ${describe()}`);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, Math.min(left, 100));
        this.#waiting.push(() => {
          clearTimeout(timer);
          resolve();
        });
      });
    }
  }

  /** Forgets what arrived, not how to behave. */
  clear(): void {
    this.spans.length = 0;
    this.requests.length = 0;
    this.#spanIds.clear();
    this.rejected = 0;
  }

  /** Stops listening and cuts every connection. */
  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    if (this.#server.listening) await new Promise((resolve) => this.#server.close(resolve));
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    request.on('error', () => undefined);
    response.on('error', () => undefined);
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const raw = Buffer.concat(chunks);
    const received: ReceivedRequest = {
      index: this.requests.length,
      url: request.url ?? '',
      headers: request.headers,
      bytes: raw.length,
      spans: decode(raw, request.headers),
    };
    const { spans, ...rest } = received;
    this.requests.push(rest);
    const fault = this.fault?.(received) ?? {};
    if (fault.delayMillis) await new Promise((resolve) => setTimeout(resolve, fault.delayMillis));
    this.#answer(request, response, spans, fault);
    for (const wake of this.#waiting.splice(0)) wake();
  }

  #answer(
    request: IncomingMessage,
    response: ServerResponse,
    spans: ReceivedSpan[],
    fault: Fault,
  ): void {
    if (fault.hang) return;
    if (fault.reset === 'before') return void request.socket.destroy();
    const status = fault.status ?? 200;
    if (status !== 200) {
      response.writeHead(status, fault.headers).end(fault.body ?? '');
      return;
    }
    const rejected = fault.rejectSpans ? spans.filter(fault.rejectSpans) : [];
    for (const span of spans) if (!rejected.includes(span)) this.#accept(span);
    this.rejected += rejected.length;
    if (fault.reset === 'after') return void request.socket.destroy();
    const isJson = request.headers['content-type'] === 'application/json';
    response
      .writeHead(200, { 'content-type': request.headers['content-type'] ?? '', ...fault.headers })
      .end(fault.body ?? (isJson ? jsonAnswer(rejected.length) : protobufAnswer(rejected.length)));
  }

  #accept(span: ReceivedSpan): void {
    this.spans.push(span);
    this.#spanIds.add(span.spanId);
  }
}

/** Starts a receiver, on a free port unless one is named. */
export async function startReceiver(options: ReceiverOptions = {}): Promise<OtlpReceiver> {
  return new OtlpReceiver(options).listen(options.port);
}

function decode(raw: Buffer, headers: IncomingMessage['headers']): ReceivedSpan[] {
  const body = headers['content-encoding'] === 'gzip' ? gunzipSync(raw) : raw;
  const isJson = headers['content-type'] === 'application/json';
  const message = isJson ? (JSON.parse(body.toString()) as OtlpRequest) : decodeRequest(body);
  const spans: ReceivedSpan[] = [];
  for (const { resource, scopeSpans } of message.resourceSpans) {
    const attributes = toObject(resource?.attributes);
    for (const { scope, spans: items } of scopeSpans) {
      for (const span of items) spans.push({ ...span, resource: attributes, scope });
    }
  }
  return spans;
}

const REASON = 'rejected by the test';

function jsonAnswer(rejected: number): string {
  if (rejected === 0) return '{}';
  return JSON.stringify({
    partialSuccess: { rejectedSpans: String(rejected), errorMessage: REASON },
  });
}

function protobufAnswer(rejected: number): Buffer {
  if (rejected === 0) return Buffer.alloc(0);
  const count: number[] = [];
  let rest = rejected;
  for (; rest > 127; rest >>>= 7) count.push((rest & 127) | 128);
  count.push(rest);
  const inner = Buffer.concat([Buffer.from([8, ...count, 18, REASON.length]), Buffer.from(REASON)]);
  return Buffer.concat([Buffer.from([10, inner.length]), inner]);
}
