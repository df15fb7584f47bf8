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
   * Requests to be left alone, by host and path: `/health*`, `*.internal`, `localhost:9200/_bulk`.
   * Default: the list in `CLEW_HTTP_IGNORE_OUTGOING`.
   */
  ignoreUrls?: readonly string[];
  /** Requests for which it returns true are left alone: no span, no measurement, no headers. */
  ignore?: (request: OutgoingRequest) => boolean;
  /**
   * Headers of requests to be recorded, by name; those that carry secrets never are. Default: the list
   * in `OTEL_INSTRUMENTATION_HTTP_CLIENT_CAPTURE_REQUEST_HEADERS`.
   */
  requestHeaders?: readonly string[];
  /** The same of responses: `OTEL_INSTRUMENTATION_HTTP_CLIENT_CAPTURE_RESPONSE_HEADERS`. */
  responseHeaders?: readonly string[];
  /** Methods shown by name, in place of the default. Default: `OTEL_INSTRUMENTATION_HTTP_KNOWN_METHODS`. */
  knownMethods?: readonly string[];
  /** Returns `url.template`, which becomes a part of the name: `/users/{id}`. Few forms, no values. */
  urlTemplate?: (request: OutgoingRequest) => string | undefined;
  /** Called with each recorded span at its start, to add what only the application knows. */
  requestHook?: (span: Span, request: OutgoingRequest) => void;
  /** Called with each recorded span before its end. */
  responseHook?: (span: Span, response: IncomingResponse) => void;
}

/** The configuration with its defaults filled in. */
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

/** Checks `config`; a value or a name that is no good is an `ERR_OPTION`. */
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
