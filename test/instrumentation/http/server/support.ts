import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import { connect, type AddressInfo, type Socket } from 'node:net';

import { propagation, SpanKind, trace } from '@opentelemetry/api';
import { W3CTraceContextPropagator } from '@opentelemetry/core';
import type { ReadableSpan } from '@opentelemetry/sdk-trace-base';

import { AsyncHooksContextManager } from '../../../../src/context/async-hooks-context-manager.ts';
import {
  HttpInstrumentation,
  type HttpConfig,
} from '../../../../src/instrumentation/http/http-instrumentation.ts';
import { enableRules } from '../../../../src/instrumentation/rules/index.ts';
import { registerTelemetry, type Telemetry } from '../../support/telemetry.ts';

/** What a test of servers has switched on, until `stop`. */
export interface Setup extends Telemetry {
  instrumentation: HttpInstrumentation;
  /** The next `count` spans of requests, in the order of their ends. */
  requests(count: number): Promise<ReadableSpan[]>;
  /** The only span of a request. */
  request(): Promise<ReadableSpan>;
  stop(): void;
}

/** Registers a provider, our context manager, the rules, and the instrumentation of HTTP. */
export function setUp(config: HttpConfig['incoming'] = {}): Setup {
  const telemetry = registerTelemetry(new AsyncHooksContextManager());
  propagation.setGlobalPropagator(new W3CTraceContextPropagator());
  const undoRules = enableRules();
  const instrumentation = new HttpInstrumentation({
    incoming: config,
    outgoing: { enabled: false },
  });
  instrumentation.enable();
  const requests = async (count: number): Promise<ReadableSpan[]> => {
    const found = (): ReadableSpan[] =>
      telemetry.spans().filter(({ kind }) => kind === SpanKind.SERVER);
    await until(
      () => found().length >= count,
      () => `${found().length} of ${count} spans`,
    );
    await turns(3);
    assert.equal(found().length, count, 'the number of spans');
    return found();
  };
  return {
    ...telemetry,
    instrumentation,
    requests,
    request: async () => (await requests(1))[0] as ReadableSpan,
    stop: () => {
      instrumentation.disable();
      undoRules();
    },
  };
}

export async function until(isDone: () => boolean, what: () => string): Promise<void> {
  const deadline = Date.now() + 5000;
  while (!isDone()) {
    if (Date.now() > deadline) throw new Error(`Waited in vain: ${what()}`);
    await turns(1);
  }
}

/** Lets the event loop turn. */
export async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn++) await new Promise((resolve) => setImmediate(resolve));
}

/** A server that listens, and is closed with all its connections by `close`. */
export async function listening(server: Server): Promise<{ port: number; close(): Promise<void> }> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    port,
    close: async () => {
      const closed = once(server, 'close');
      server.close();
      // Those that were upgraded are no longer the server's.
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

/** Serves with `handler` while `use` runs. */
export async function serving(
  handler: RequestListener | Server,
  use: (port: number, server: Server) => Promise<unknown>,
): Promise<void> {
  const server = typeof handler === 'function' ? createServer(handler) : handler;
  const listened = await listening(server);
  try {
    await use(listened.port, server);
  } finally {
    await listened.close();
  }
}

/** A connection to which text is written as it is, and what came back on it. */
export class RawClient {
  readonly socket: Socket;
  received = '';

  constructor(port: number) {
    this.socket = connect(port, '127.0.0.1');
    this.socket.setEncoding('latin1');
    this.socket.on('data', (data: string) => (this.received += data));
    this.socket.on('error', () => undefined);
  }

  send(...lines: string[]): this {
    this.socket.write(lines.join('\r\n'));
    return this;
  }

  async receives(text: string | RegExp): Promise<string> {
    const isThere = (): boolean =>
      typeof text === 'string' ? this.received.includes(text) : text.test(this.received);
    await until(isThere, () => `${String(text)} in ${JSON.stringify(this.received)}`);
    return this.received;
  }

  close(): void {
    this.socket.destroy();
  }
}

/** The lines of a request without a body. */
export function get(path: string, ...headers: string[]): string {
  return [`GET ${path} HTTP/1.1`, 'Host: test', ...headers, '', ''].join('\r\n');
}

/** The path of the request whose span is active. */
export function activePath(): string | undefined {
  const span = trace.getActiveSpan() as unknown as ReadableSpan | undefined;
  return span?.attributes?.['url.path'] as string | undefined;
}
