import type { Span } from '@opentelemetry/api';

import { capturedHeaders, type CapturedHeader } from '../captured-headers.ts';
import { checkOptions } from '../check-options.ts';
import { KNOWN_METHODS } from '../known-methods.ts';
import { urlMatcher } from './ignored-urls.ts';
import type { IncomingResponse, OutgoingRequest } from './outgoing-request.ts';

/** The configuration of outgoing requests: the same for `http`, `undici` and `http2`. */
export interface HttpClientConfig {
  /** Whether outgoing requests are instrumented at all. Default: true. */
  enabled?: boolean;
  /** Record a request only inside a span. Default: `CLEW_HTTP_REQUIRE_PARENT`, or false. */
  requireParent?: boolean;
  /**
   * Requests that are not recorded, by host and path: `/health*`, `*.internal`,
   * `localhost:9200/_bulk`. Default: the list in `CLEW_HTTP_IGNORE_OUTGOING`.
   */
  ignoreUrls?: readonly string[];
  /** Return true to leave a request alone: no span, no measurement, no headers. */
  ignore?: (request: OutgoingRequest) => boolean;
  /**
   * Request headers to record, by name. Headers that carry secrets are never recorded. Default: the
   * list in `OTEL_INSTRUMENTATION_HTTP_CLIENT_CAPTURE_REQUEST_HEADERS`.
   */
  requestHeaders?: readonly string[];
  /**
   * Response headers to record. Default: the list in
   * `OTEL_INSTRUMENTATION_HTTP_CLIENT_CAPTURE_RESPONSE_HEADERS`.
   */
  responseHeaders?: readonly string[];
  /**
   * Methods that are recorded by name; all others are `_OTHER`. Default:
   * `OTEL_INSTRUMENTATION_HTTP_KNOWN_METHODS`.
   */
  knownMethods?: readonly string[];
  /**
   * Returns `url.template`, which becomes part of the span's name: `/users/{id}`. Keep it low in
   * cardinality.
   */
  urlTemplate?: (request: OutgoingRequest) => string | undefined;
  /**
   * Called with each recorded span when it starts, to add attributes that only the application
   * knows.
   */
  requestHook?: (span: Span, request: OutgoingRequest) => void;
  /** Called with each recorded span before it ends. */
  responseHook?: (span: Span, response: IncomingResponse) => void;
}

/** The configuration with defaults filled in. */
export interface ResolvedHttpClientConfig {
  readonly enabled: boolean;
  readonly requireParent: boolean;
  readonly isIgnored: ((request: OutgoingRequest) => boolean) | undefined;
  readonly requestHeaders: readonly CapturedHeader[];
  readonly responseHeaders: readonly CapturedHeader[];
  readonly knownMethods: ReadonlySet<string>;
  readonly urlTemplate: HttpClientConfig['urlTemplate'];
  readonly requestHook: HttpClientConfig['requestHook'];
  readonly responseHook: HttpClientConfig['responseHook'];
}

const KINDS = {
  enabled: 'boolean',
  requireParent: 'boolean',
  ignore: 'function',
  ignoreUrls: 'list',
  requestHeaders: 'list',
  responseHeaders: 'list',
  knownMethods: 'list',
  urlTemplate: 'function',
  requestHook: 'function',
  responseHook: 'function',
} as const;

/** Checks `config`; throws `ERR_OPTION` for an invalid name or value. */
export function resolveHttpClientConfig(config: HttpClientConfig): ResolvedHttpClientConfig {
  checkOptions('http.outgoing', config, KINDS);
  const { knownMethods, urlTemplate, requestHook, responseHook } = config;
  return Object.freeze({
    enabled: config.enabled ?? true,
    requireParent: config.requireParent ?? false,
    isIgnored: ignoring(config.ignoreUrls ?? [], config.ignore),
    requestHeaders: capturedHeaders(config.requestHeaders ?? [], 'http.request.header'),
    responseHeaders: capturedHeaders(config.responseHeaders ?? [], 'http.response.header'),
    knownMethods: knownMethods ? new Set(knownMethods) : KNOWN_METHODS,
    urlTemplate,
    requestHook,
    responseHook,
  });
}

function ignoring(
  patterns: readonly string[],
  ignore: HttpClientConfig['ignore'],
): ((request: OutgoingRequest) => boolean) | undefined {
  const given = patterns.filter((pattern) => pattern.trim() !== '');
  if (given.length === 0) return ignore;
  const matches = urlMatcher(given);
  return (request) => matches(request) || ignore?.(request) === true;
}
