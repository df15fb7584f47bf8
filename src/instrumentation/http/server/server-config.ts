import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Http2ServerRequest, Http2ServerResponse, ServerHttp2Stream } from 'node:http2';

import type { Span } from '@opentelemetry/api';

import { capturedHeaders, type CapturedHeader } from '../captured-headers.ts';
import { checkOptions } from '../check-options.ts';
import { KNOWN_METHODS } from '../known-methods.ts';
import { matcherOf } from '../path-patterns.ts';
import { TrustedProxies } from './trusted-proxies.ts';

/** A request before it is recorded. An `IncomingMessage` is one. */
export interface RequestHead {
  readonly method?: string | undefined;
  /** The request target as it was sent, usually the path with its query. */
  readonly url?: string | undefined;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
}

/** The configuration of the spans of incoming requests. */
export interface HttpServerConfig {
  /** Whether incoming requests are recorded at all. Default: true. */
  enabled?: boolean;
  /**
   * Return true to record neither the request nor anything done for it. Called for every request.
   */
  ignore?: (request: RequestHead) => boolean;
  /**
   * Paths that are ignored in the same way: `/healthz`, `/internal/*`. Default:
   * `CLEW_HTTP_IGNORE_INCOMING`.
   */
  ignorePaths?: readonly string[];
  /**
   * Request headers to record, by name. Headers that carry a secret (`authorization`, `cookie`,
   * tokens, keys) are never recorded. Default: the list in
   * `OTEL_INSTRUMENTATION_HTTP_SERVER_CAPTURE_REQUEST_HEADERS`.
   */
  requestHeaders?: readonly string[];
  /**
   * Response headers to record. Default: the list in
   * `OTEL_INSTRUMENTATION_HTTP_SERVER_CAPTURE_RESPONSE_HEADERS`.
   */
  responseHeaders?: readonly string[];
  /**
   * Methods that are recorded by name; all others are `_OTHER`. Default:
   * `OTEL_INSTRUMENTATION_HTTP_KNOWN_METHODS`.
   */
  knownMethods?: readonly string[];
  /**
   * Proxies whose `Forwarded` and `X-Forwarded-*` headers are trusted: addresses, ranges
   * (`10.0.0.0/8`), `loopback`, `linklocal`, `uniquelocal`. Default: `CLEW_HTTP_TRUSTED_PROXIES`,
   * or none.
   */
  trustedProxies?: readonly string[];
  /**
   * Send the span's trace id and span id to the client in a `Server-Timing` header. Default:
   * `CLEW_HTTP_SERVER_TIMING`, or false.
   */
  serverTiming?: boolean;
  /**
   * Record the name of the function that handles the request, as `code.function.name`. Default:
   * true.
   */
  handlerNames?: boolean;
  /**
   * Also record middleware, hooks and handlers, as children of the request's span. Default:
   * `CLEW_HTTP_HANDLER_SPANS`, or false.
   */
  handlerSpans?: boolean;
  /** Called with each recorded span and its request before a handler sees it. */
  requestHook?: (span: Span, request: IncomingMessage | ServerHttp2Stream) => void;
  /** Called with each recorded span and its response before the span ends. */
  responseHook?: (span: Span, response: ServerResponse | ServerHttp2Stream) => void;
}

/** The messages of servers, of both protocols. */
export type AnyRequest = IncomingMessage | Http2ServerRequest;
export type AnyResponse = ServerResponse | Http2ServerResponse;

/** The configuration with its defaults filled in, in the form in which it is asked. */
export interface ResolvedServerConfig {
  readonly ignore: HttpServerConfig['ignore'];
  readonly isIgnoredPath: ((path: string) => boolean) | undefined;
  readonly requestHeaders: readonly CapturedHeader[];
  readonly responseHeaders: readonly CapturedHeader[];
  readonly knownMethods: ReadonlySet<string>;
  readonly trustedProxies: TrustedProxies | undefined;
  readonly serverTiming: boolean;
  readonly handlerNames: boolean;
  readonly handlerSpans: boolean;
  readonly requestHook: HttpServerConfig['requestHook'];
  readonly responseHook: HttpServerConfig['responseHook'];
}

const KINDS = {
  enabled: 'boolean',
  ignore: 'function',
  ignorePaths: 'list',
  requestHeaders: 'list',
  responseHeaders: 'list',
  knownMethods: 'list',
  trustedProxies: 'list',
  serverTiming: 'boolean',
  handlerNames: 'boolean',
  handlerSpans: 'boolean',
  requestHook: 'function',
  responseHook: 'function',
} as const;

/** The names of the options. @internal */
export const SERVER_OPTIONS: readonly string[] = Object.keys(KINDS);

/** Checks `config`; throws `ERR_OPTION` for an invalid name or value. */
export function resolveServerConfig(config: HttpServerConfig): ResolvedServerConfig {
  checkOptions('http.incoming', config, KINDS);
  const { knownMethods, trustedProxies = [] } = config;
  return {
    ignore: config.ignore,
    isIgnoredPath: matcherOf(config.ignorePaths ?? []),
    requestHeaders: capturedHeaders(config.requestHeaders ?? [], 'http.request.header'),
    responseHeaders: capturedHeaders(config.responseHeaders ?? [], 'http.response.header'),
    knownMethods: knownMethods === undefined ? KNOWN_METHODS : new Set(knownMethods),
    trustedProxies: trustedProxies.length > 0 ? new TrustedProxies(trustedProxies) : undefined,
    serverTiming: config.serverTiming ?? false,
    handlerNames: config.handlerNames ?? true,
    handlerSpans: config.handlerSpans ?? false,
    requestHook: config.requestHook,
    responseHook: config.responseHook,
  };
}
