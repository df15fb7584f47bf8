import {
  context,
  trace,
  type Attributes,
  type Context,
  type Span,
  type SpanOptions,
  type Tracer,
} from '@opentelemetry/api';

import { readRecordedRequests } from '../../http/recorded-requests.ts';
import { activeServerRequest, type ServerRequest } from '../../http/server/server-request.ts';
import type { ModuleExports } from '../../module-hooks.ts';
import { reservePatch, patchMethod, undoAll, type Undo } from '../../../base/patch.ts';
import type { FrameworkDefinition } from '../framework.ts';
import { RequestSpan } from './request-span.ts';
import { RootAttributes } from './root-attributes.ts';
import { showRoute } from './show-route.ts';

/**
 * Next.js. It makes spans by itself: those of its steps stay as they are and hang below the request.
 * Its span of the request is ours, so that a request has one, and the span of a `fetch` is its own.
 */
export const next: FrameworkDefinition = {
  name: 'next',
  modules: [
    {
      module: 'next/dist/server/lib/trace/tracer',
      versions: '>=14 <17',
      patch: patchTracer,
    },
  ],
};

/* The parts of Next.js that are used. */

interface NextTracer {
  /** Returns a tracer of the API. */
  getTracerInstance(): Tracer;
  /** Returns the active span. */
  getActiveScopeSpan(): Span | undefined;
  /** Returns what the span of the request is to show: `next.route` is found out late. */
  getRootSpanAttributes(): Map<string, unknown> | undefined;
  /** Adds to it. Next.js 14 has no such method. */
  setRootSpanAttribute(key: string, value: unknown): void;
}

const REQUEST = 'BaseServer.handleRequest';

function patchTracer(exports: ModuleExports): Undo | undefined {
  const { getTracer } = exports as { getTracer?: () => object };
  if (typeof getTracer !== 'function') return undefined;
  const prototype = Object.getPrototypeOf(getTracer()) as NextTracer;
  if (typeof prototype.getTracerInstance !== 'function') return undefined;
  const release = reservePatch(prototype, 'routes');
  if (!release) return undefined;
  return undoAll([
    release,
    readRecordedRequests(readFetch),
    patchMethod(prototype, 'getTracerInstance', (original) => {
      return function getTracerInstance() {
        return tracerOfRequests(original.call(this));
      };
    }),
    // Next.js compares it with the span that it started: it writes to one that is not its own.
    patchMethod(prototype, 'getActiveScopeSpan', (original) => {
      return function getActiveScopeSpan() {
        const span = original.call(this);
        const request = span && activeServerRequest();
        return request?.span === span && request ? RequestSpan.of(request) : span;
      };
    }),
    followRoute(prototype),
  ]);
}

function followRoute(prototype: NextTracer): Undo | undefined {
  if (typeof prototype.setRootSpanAttribute !== 'function') {
    return patchMethod(prototype, 'getRootSpanAttributes', (original) => {
      return function getRootSpanAttributes() {
        const request = activeServerRequest();
        return request ? new RootAttributes(request, REQUEST) : original.call(this);
      };
    });
  }
  return patchMethod(prototype, 'setRootSpanAttribute', (original) => {
    return function setRootSpanAttribute(key, value) {
      const request = key === 'next.route' ? activeServerRequest() : undefined;
      if (request !== undefined) showRoute(request, value);
      original.call(this, key, value);
    };
  });
}

/** `tracer`, but for the spans of requests. */
function tracerOfRequests(tracer: Tracer): Tracer {
  const { startActiveSpan } = tracer as { startActiveSpan: (...call: unknown[]) => unknown };
  return {
    startSpan: tracer.startSpan.bind(tracer),
    startActiveSpan: (...call: [name: string, options: SpanOptions, ...unknown[]]) => {
      const [, options] = call;
      const start = () => Reflect.apply(startActiveSpan, tracer, call);
      const type = options.attributes?.['next.span_type'];
      const request = type === REQUEST ? requestOf(context.active()) : undefined;
      if (request === undefined) return start();
      const span = RequestSpan.of(request).setAttributes(options.attributes ?? {});
      const work = call.at(-1) as (span: Span) => unknown;
      return context.with(trace.setSpan(context.active(), span), () => work(span));
    },
  };
}

/** The request whose span is the active one, or stands for it where its headers came back in. */
function requestOf(active: Context): ServerRequest | undefined {
  const request = activeServerRequest(active);
  const span = trace.getSpanContext(active);
  return request?.span.spanContext().spanId === span?.spanId ? request : undefined;
}

/** Some copies of its tracer are part of larger files, so a `fetch` is known by its span. */
function readFetch(span: Span): { method: unknown; url: unknown } | undefined {
  const { attributes } = span as { attributes?: Attributes };
  if (attributes?.['next.span_type'] !== 'AppRender.fetch') return undefined;
  return { method: attributes['http.method'], url: attributes['http.url'] };
}
