import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

import { messageOf } from '../../base/errors.ts';
import type { OtlpRequest } from '../../viewer/otlp.ts';
import { TraceStore, type Trace } from '../../viewer/trace.ts';

/** How long to wait for the spans of requests that were answered, in milliseconds. */
const MAX_WAIT = 10_000;
/** A trace is complete when nothing has come for this long, in milliseconds. */
const QUIET = 250;

/** Whether OTLP/HTTP answers at `tracesUrl`; if not, why, in a few words. */
export async function probeCollector(tracesUrl: string): Promise<string | undefined> {
  try {
    const response = await fetch(tracesUrl, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{"resourceSpans":[]}',
      signal: AbortSignal.timeout(2000),
    });
    await response.arrayBuffer();
    return response.ok ? undefined : `it answers with HTTP ${response.status}`;
  } catch (error) {
    const cause = (error as { cause?: unknown }).cause ?? error;
    return (cause as { code?: string }).code ?? messageOf(cause);
  }
}

/**
 * Receives the shop's spans as OTLP JSON on loopback, keeps them to look at, and hands each request
 * on unchanged to a collector if there is one.
 */
export class OtlpRelay {
  readonly store: TraceStore = new TraceStore();
  readonly #server: Server;
  readonly #collectorUrl: string | undefined;
  #lastArrival = 0;
  /** Requests the collector did not take; the reason of the last one. */
  refused: string | undefined;

  private constructor(server: Server, collectorUrl: string | undefined) {
    this.#server = server;
    this.#collectorUrl = collectorUrl;
  }

  static async start(collectorUrl: string | undefined): Promise<OtlpRelay> {
    const server = createServer();
    const relay = new OtlpRelay(server, collectorUrl);
    server.on('request', (request, response) => void relay.#receive(request, response));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return relay;
  }

  /** The base URL to export to. */
  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /**
   * The traces that are not in `before`, once there are `count` of them, each with every parent that
   * a span of it names, and nothing more has come for a moment. After ten seconds, whatever there is.
   * A span that names no parent is not waited for: whatever comes, it stays without one.
   */
  async newTraces(before: ReadonlySet<Trace>, count: number): Promise<Trace[]> {
    const called = performance.now();
    for (;;) {
      const traces = this.store.traces.filter((trace) => !before.has(trace));
      const complete =
        traces.length >= count && traces.every((trace) => trace.orphans.length === 0);
      if (complete && performance.now() - Math.max(called, this.#lastArrival) > QUIET)
        return traces;
      if (performance.now() - called > MAX_WAIT) return traces;
      // Not a reason to stay alive when everything else has been stopped.
      await new Promise((resolve) => setTimeout(resolve, 20).unref());
    }
  }

  async stop(): Promise<void> {
    this.#server.close();
    this.#server.closeAllConnections();
    await once(this.#server, 'close').catch(() => undefined);
  }

  async #receive(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      const body = await text(request);
      this.store.add(JSON.parse(body) as OtlpRequest);
      this.#lastArrival = performance.now();
      if (this.#collectorUrl === undefined) {
        response.setHeader('content-type', 'application/json').end('{}');
        return;
      }
      await this.#forward(this.#collectorUrl, request, body, response);
    } catch (error) {
      this.refused = messageOf(error);
      response.writeHead(503).end();
    }
  }

  async #forward(
    url: string,
    request: IncomingMessage,
    body: string,
    response: ServerResponse,
  ): Promise<void> {
    // The shop sends the headers the user configured, credentials among them: they go along.
    const headers = new Headers({ 'content-type': 'application/json' });
    const ours = ['host', 'connection', 'content-length', 'content-type', 'transfer-encoding'];
    for (const [name, value] of Object.entries(request.headers)) {
      if (!ours.includes(name) && typeof value === 'string') headers.set(name, value);
    }
    const answer = await fetch(url, { method: 'POST', headers, body });
    if (!answer.ok) this.refused = `HTTP ${answer.status}`;
    response.writeHead(answer.status, { 'content-type': 'application/json' });
    response.end(await answer.text());
  }
}
