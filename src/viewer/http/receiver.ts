import type { IncomingMessage, ServerResponse } from 'node:http';

import { messageOf } from '../../base/errors.ts';
import { readOtlp } from '../otlp.ts';
import type { Viewer } from '../viewer.ts';
import { HttpError, readBody } from './read-body.ts';

/** A protobuf export request as OTLP/JSON: `export/` knows how, and the viewer does not. */
export type DecodeProtobuf = (body: Buffer) => unknown;

export interface ReceiverOptions {
  viewer: Viewer;
  decodeProtobuf: DecodeProtobuf;
  forwardTo?: string | undefined;
}

export const MAX_EXPORT_BYTES: number = 64 * 1024 * 1024;
const FORWARD_MILLIS = 10_000;
const NOT_FORWARDED = new Set([
  'host',
  'connection',
  'content-length',
  'content-encoding',
  'transfer-encoding',
  'expect',
]);

/** The receiver of OTLP over HTTP: keeps spans to look at, and hands requests on where told so. */
export class Receiver {
  readonly #options: ReceiverOptions;
  /** On the clock of `performance.now()`. */
  lastArrival = 0;
  /** The URL of `/v1/traces` that requests are handed on to, too. */
  forwardTo: string | undefined;
  /** Requests that the collector has not answered yet. */
  forwarding = 0;
  /** Why the collector did not take the last request that it refused. */
  refused: string | undefined;

  constructor(options: ReceiverOptions) {
    this.#options = options;
    this.forwardTo = options.forwardTo;
  }

  /** Answers a `POST /v1/traces`. */
  async receive(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { viewer } = this.#options;
    let body: Buffer;
    let isJson: boolean;
    try {
      isJson = isJsonType(request.headers['content-type'] ?? '');
      body = await readBody(request, MAX_EXPORT_BYTES);
      viewer.add(this.#read(body, isJson));
    } catch (error) {
      viewer.refuse(messageOf(error));
      throw error;
    }
    this.lastArrival = performance.now();
    const { forwardTo } = this;
    if (forwardTo !== undefined) {
      await this.#forward(forwardTo, request, body, response);
      return;
    }
    // An empty message is a full success, in both encodings.
    response.setHeader('content-type', isJson ? 'application/json' : 'application/x-protobuf');
    response.end(isJson ? '{}' : '');
  }

  #read(body: Buffer, isJson: boolean): ReturnType<typeof readOtlp> {
    try {
      const { decodeProtobuf } = this.#options;
      return readOtlp(isJson ? JSON.parse(body.toString('utf8')) : decodeProtobuf(body));
    } catch (error) {
      const message = `This is not an OTLP export request: ${messageOf(error)}`;
      throw new HttpError(400, 'ERR_OPTION', message);
    }
  }

  async #forward(
    url: string,
    request: IncomingMessage,
    body: Buffer,
    response: ServerResponse,
  ): Promise<void> {
    // The application sends the headers its user configured, credentials among them: they go along.
    const headers = new Headers();
    for (const [name, value] of Object.entries(request.headers)) {
      if (!NOT_FORWARDED.has(name) && typeof value === 'string') headers.set(name, value);
    }
    this.forwarding += 1;
    try {
      const signal = AbortSignal.timeout(FORWARD_MILLIS);
      const answer = await fetch(url, {
        method: 'POST',
        headers,
        body: new Uint8Array(body),
        signal,
      });
      const text = Buffer.from(await answer.arrayBuffer());
      if (!answer.ok) this.refused = `HTTP ${answer.status}`;
      const type = answer.headers.get('content-type') ?? 'application/json';
      const retryAfter = answer.headers.get('retry-after');
      if (retryAfter !== null) response.setHeader('retry-after', retryAfter);
      response.writeHead(answer.status, { 'content-type': type }).end(text);
    } catch (error) {
      this.refused = messageOf((error as { cause?: unknown }).cause ?? error);
      throw new HttpError(503, 'ERR_UNAVAILABLE', `The collector does not answer: ${this.refused}`);
    } finally {
      this.forwarding -= 1;
    }
  }
}

function isJsonType(type: string): boolean {
  if (/^application\/json\b/i.test(type)) return true;
  if (/^application\/x-protobuf\b/i.test(type)) return false;
  const message = 'The content-type has to be application/json or application/x-protobuf.';
  throw new HttpError(415, 'ERR_OPTION', message);
}
