import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

import { context, ROOT_CONTEXT, SpanKind, SpanStatusCode } from '@opentelemetry/api';
import type { ReadableSpan } from '@opentelemetry/sdk-trace-base';

import { suppressed } from '../../../../src/carry/suppression.ts';
import {
  OBSERVED,
  type Answer,
  type Asked,
  type Child,
  type Observed,
  type Report,
} from './observed.ts';

/*
 * Runs in the process of an application: makes the requests that `ASKED` lists, one after the other,
 * and prints what came of each.
 */

const observed = (globalThis as Record<symbol, unknown>)[OBSERVED] as Observed | undefined;
const notes: { label: string; traceId: string | undefined; spanId: string | undefined }[] = [];

/** Called by applications: notes the context that `label` runs in. */
export function here(label: string): void {
  notes.push({ label, traceId: observed?.activeTrace(), spanId: observed?.activeSpan() });
}

/** An application that is to be driven. */
export interface Application {
  /** The server, listening or not, or what answers requests. */
  server: http.Server | http.RequestListener;
  /** What the application sees of itself. */
  looks?: () => unknown;
}

export async function drive(application: Application): Promise<void> {
  const server =
    typeof application.server === 'function'
      ? http.createServer(application.server)
      : application.server;
  if (!server.listening) {
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
  }
  const { port } = server.address() as AddressInfo;
  const answers: Answer[] = [];
  for (const asked of JSON.parse(process.env['ASKED'] ?? '[]') as Asked[]) {
    const made = Array.from({ length: asked.times ?? 1 }, () => ask(port, asked));
    const got = await Promise.all(made);
    await delay(5);
    answers.push(...got.map((answer) => ({ ...answer, ...observedOf(answer.id) })));
    notes.length = 0;
  }
  const report: Report = { answers, looks: application.looks?.() };
  process.stdout.write(`REPORT ${JSON.stringify(report)}\n`, () => process.exit());
}

let count = 0;

type Response = Pick<Answer, 'status' | 'body' | 'headers'> & { id: string };

/** A request of nobody's: no trace leads to it. */
function ask(port: number, { method = 'GET', path, body, headers }: Asked): Promise<Response> {
  const id = String(++count).padStart(32, '0');
  const traceparent = `00-${id}-${'1'.repeat(16)}-01`;
  return context.with(suppressed(ROOT_CONTEXT), async () => {
    const type = body === undefined ? {} : { 'content-type': 'application/json' };
    const request = http.request({
      host: '127.0.0.1',
      port,
      method,
      path,
      agent: false,
      headers: { ...type, ...headers, traceparent },
    });
    request.end(body);
    const [response] = (await once(request, 'response')) as [http.IncomingMessage];
    let text = '';
    for await (const chunk of response) text += String(chunk);
    const names = response.rawHeaders.filter((_, index) => index % 2 === 0);
    return { id, status: response.statusCode ?? 0, body: text, headers: names };
  });
}

function observedOf(id: string): Omit<Answer, 'status' | 'body' | 'headers'> {
  const spans = (observed?.spans() ?? []).filter((span) => span.spanContext().traceId === id);
  const servers = spans.filter((span) => span.kind === SpanKind.SERVER);
  const [mine] = servers;
  return {
    ...(mine && { span: describe(mine) }),
    serverSpans: servers.length,
    others: spans.filter((span) => span !== mine).map((span) => span.name),
    children: childrenOf(spans, mine),
    inContext: notes.filter(({ traceId }) => traceId === id).map(({ label }) => label),
    // Of several requests at once each has its own.
    astray: notes.filter(({ traceId }) => !/^0{20}/.test(traceId ?? '')).map(({ label }) => label),
  };
}

function childrenOf(spans: readonly ReadableSpan[], mine: ReadableSpan | undefined): Child[] {
  const at = ([seconds, nanos]: readonly [number, number]): number => seconds * 1e9 + nanos;
  return spans
    .filter((span) => span !== mine)
    .toSorted((a, b) => at(a.startTime) - at(b.startTime))
    .map((span) => {
      const { spanId } = span.spanContext();
      const above = spans.find(
        (one) => one.spanContext().spanId === span.parentSpanContext?.spanId,
      );
      return {
        name: span.name,
        parent: above?.name,
        attributes: { ...span.attributes },
        failed: span.status.code === SpanStatusCode.ERROR,
        ran: notes.filter((note) => note.spanId === spanId).map(({ label }) => label),
        isWithin: mine !== undefined && at(span.endTime) <= at(mine.endTime),
      };
    });
}

function describe(span: ReadableSpan): NonNullable<Answer['span']> {
  const { attributes } = span;
  return {
    name: span.name,
    route: attributes['http.route'] as string | undefined,
    handler: attributes['code.function.name'] as string | undefined,
    exceptions: span.events
      .filter(({ name }) => name === 'exception')
      .map(({ attributes: event = {} }) => {
        const stack = String(event['exception.stacktrace']).includes('\n    at ');
        return `${String(event['exception.type'])}${stack ? '' : ' without stack'}`;
      }),
    attributes: { ...attributes },
  };
}
