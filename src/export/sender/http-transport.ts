import type { Agent as HttpAgent, IncomingMessage } from 'node:http';
import type * as Https from 'node:https';
import { clearTimeout, setTimeout } from 'node:timers';
import { gzip, gzipSync } from 'node:zlib';

import { http } from '../../base/node-http.ts';
import { explainError, explainSilence, explainStranger } from './advice.ts';
import { outcomeOfStatus, type Outcome } from './outcome.ts';
import { protobufToJson } from '../encoding/otlp-json.ts';
import { readResponse } from '../encoding/otlp-response.ts';

/** How to reach the collector: plain data, because it also crosses to the sender's thread. */
export interface Target {
  url: string;
  protocol: 'http/protobuf' | 'http/json';
  compression: 'gzip' | 'none';
  headers: Record<string, string>;
  timeoutMillis: number;
  /** PEM text. */
  tls?: { ca?: string; cert?: string; key?: string };
}

/** Held from before any instrumentation patches them. */
const { Agent, request: httpRequest } = http;

const MAX_ANSWER_BYTES = 64 * 1024;
/** Level 1 is a third of the work of level 6 for a few per cent more bytes. */
const GZIP = { level: 1 };

/** Calls `send` untraced; set if requests are made on the application's thread. */
export type Quietly = <Result>(send: () => Result) => Result;

/** Posts OTLP requests over kept-alive connections. */
export class HttpTransport {
  readonly #target: Target;
  readonly #agent: HttpAgent;
  readonly #https: typeof Https | undefined;
  readonly #quietly: Quietly | undefined;

  /** Without `quietly` the thread belongs to the sender alone, so it may compress synchronously. */
  constructor(target: Target, maxSockets: number, quietly?: Quietly) {
    this.#target = target;
    this.#quietly = quietly;
    // TLS takes 20 ms to load, for which a short program that does not need it would wait at exit.
    this.#https = isTls(target) ? process.getBuiltinModule('node:https') : undefined;
    const options: Https.AgentOptions = { keepAlive: true, maxSockets, ...target.tls };
    this.#agent = this.#https ? new this.#https.Agent(options) : new Agent(options);
  }

  /**
   * `onProgress` is called when the collector makes progress: it has connected, or read the
   * request.
   */
  async post(protobuf: Buffer, onProgress: () => void = () => undefined): Promise<Outcome> {
    try {
      const body = await this.#encode(protobuf);
      const send = (): Promise<Outcome> => this.#send(body, onProgress);
      return await (this.#quietly ? this.#quietly(send) : send());
    } catch (error) {
      return this.#unavailable(error as Error, false);
    }
  }

  close(): void {
    this.#agent.destroy();
  }

  async #encode(protobuf: Buffer): Promise<Buffer> {
    const { protocol, compression } = this.#target;
    const body = protocol === 'http/json' ? protobufToJson(protobuf) : protobuf;
    if (compression === 'none') return body;
    if (!this.#quietly) return gzipSync(body, GZIP);
    return new Promise((resolve, reject) => {
      gzip(body, GZIP, (error, result) => (error ? reject(error) : resolve(result)));
    });
  }

  #unavailable(error: Error, mayBePoison: boolean): Outcome {
    return { kind: 'unavailable', ...explainError(error, this.#target.url), mayBePoison };
  }

  #send(body: Buffer, onProgress: () => void): Promise<Outcome> {
    const { url, headers, protocol, compression, timeoutMillis } = this.#target;
    const request = this.#https?.request ?? httpRequest;
    return new Promise((resolve) => {
      const outgoing = request(url, {
        method: 'POST',
        agent: this.#agent,
        headers: {
          ...headers,
          'content-type': protocol === 'http/json' ? 'application/json' : 'application/x-protobuf',
          'content-length': body.length,
          ...(compression === 'gzip' && { 'content-encoding': 'gzip' }),
        },
      });
      const timer = setTimeout(() => {
        resolve({ kind: 'unavailable', ...explainSilence(timeoutMillis), mayBePoison: true });
        outgoing.destroy();
      }, timeoutMillis);
      const settle = (outcome: Outcome): void => {
        clearTimeout(timer);
        resolve(outcome);
      };
      // The exit handlers decide how long an exiting process waits, not sockets.
      if (this.#quietly) timer.unref();
      outgoing.on('socket', (socket) => {
        if (this.#quietly) socket.unref();
        if (!socket.connecting) return;
        for (const step of ['connect', 'secureConnect']) socket.once(step, onProgress);
      });
      outgoing.on('finish', onProgress);
      outgoing.on('response', (response) => {
        readAnswer(response)
          .then((answer) => settle(judge(response, answer)))
          .catch((error: unknown) => settle(this.#unavailable(error as Error, true)));
      });
      outgoing.on('error', (error: NodeJS.ErrnoException) => {
        settle(this.#unavailable(error, error.code === 'ECONNRESET' && !outgoing.reusedSocket));
      });
      outgoing.end(body);
    });
  }
}

function isTls({ url }: Target): boolean {
  return url.startsWith('https:');
}

async function readAnswer(response: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size <= MAX_ANSWER_BYTES) chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function judge(response: IncomingMessage, answer: Buffer): Outcome {
  const status = response.statusCode ?? 0;
  const contentType = response.headers['content-type'];
  const stranger = explainStranger(status, contentType, answer);
  // Whatever the response means, the collector has not received our spans.
  if (stranger) return { kind: 'unavailable', ...stranger, mayBePoison: false };
  if (status >= 200 && status < 300) {
    return { kind: 'accepted', ...readResponse(answer, contentType) };
  }
  return outcomeOfStatus(status, response.headers['retry-after'], Date.now());
}
