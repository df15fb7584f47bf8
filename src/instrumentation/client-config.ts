import type { Context, Span, SpanContext, TextMapPropagator } from '@opentelemetry/api';

import { environment } from '../base/environment.ts';
import { optionError } from '../base/errors.ts';
import type { Operation } from './operation.ts';

/** The configuration of an instrumentation: the same for every client. */
export interface ClientConfig {
  /** Whether the client is instrumented at all. Default: true. */
  enabled?: boolean;
  /**
   * Record an operation only inside another span, so that background work of a library (an idle
   * worker that polls its queue) makes no traces. Durations are still measured. Default:
   * `CLEW_REQUIRE_PARENT`; if unset, the default of OpenTelemetry's own instrumentation, which is
   * true for ioredis and mongodb, and true for commands that BullMQ sends through node-redis.
   */
  requireParent?: boolean;
  /** Return true to leave an operation unrecorded. Its caller still keeps its context. */
  ignore?: (operation: Readonly<Operation>) => boolean;
  /** The maximum length of `db.query.text`, in characters; longer text is cut. Default: 4096. */
  maxTextLength?: number;
  /**
   * Returns `db.query.text` for a statement without separate values, in place of the built-in
   * sanitiser; `undefined` records no text. The statement contains the user's literals.
   */
  sanitizeText?: (text: string, operation: Readonly<Operation>) => string | undefined;
  /** Returns the name of a span, in place of `proposed`. Keep it low in cardinality. */
  spanName?: (operation: Readonly<Operation>, proposed: string) => string | undefined;
  /**
   * The parameters to record as `db.query.parameter.<key>`, by name or by position from 0. Default:
   * none.
   */
  parameters?: readonly (string | number)[];
  /** Record the number of rows returned, if the client knows it. Default: false. */
  returnedRows?: boolean;
  /**
   * Append the trace context as a comment to statements that are not prepared, so that it appears
   * in the database's logs: true for W3C trace context, or a propagator. Default: false.
   */
  sqlCommenter?: boolean | TextMapPropagator;
  /** Record the wait for a pooled connection as a span of its own. Default: false. */
  acquireSpans?: boolean;
  /**
   * Also add the attributes under their old names (`db.system`, `db.statement` and so on), for
   * dashboards in transition. Default: true if `OTEL_SEMCONV_STABILITY_OPT_IN` contains
   * `database/dup`.
   */
  legacyAttributes?: boolean;
  /**
   * Returns the context in which a message of a Redis channel was published, read from the message
   * itself; `undefined` if the message does not carry one. If set, each call of a subscriber's
   * listener is recorded as a span that links to the publisher's. Default: none, and no such spans.
   */
  publisherContext?: (message: Readonly<ReceivedMessage>) => Context | SpanContext | undefined;
  /**
   * Add the trace context to each entry that `XADD` appends to a Redis stream, as extra fields
   * named by the propagator. Readers of the stream see these fields too. Default: false.
   */
  streamContext?: boolean;
  /**
   * Called with each recorded span when it starts, to add attributes that only the application
   * knows.
   */
  requestHook?: (span: Span, operation: Readonly<Operation>) => void;
  /** Called with each recorded span before it ends, with the client's result or error. */
  responseHook?: (span: Span, response: { error?: unknown; result?: unknown }) => void;
}

/** A message, as passed to a subscriber's listener. */
export interface ReceivedMessage {
  channel: string;
  /** Text or a buffer, as passed to the listener. */
  message: unknown;
  /** The pattern that was subscribed to, if the client reports it. */
  pattern?: string;
}

/** The configuration with defaults filled in. */
export type ResolvedConfig = Omit<ClientConfig, 'requireParent'> &
  Required<
    Pick<
      ClientConfig,
      Exclude<(typeof BOOLEANS)[number], 'requireParent'> | 'maxTextLength' | 'parameters'
    >
  > & {
    /** For which operations: all, none, or only a library's housekeeping. */
    requireParent: boolean | 'housekeeping';
  };

const FUNCTIONS = [
  'ignore',
  'sanitizeText',
  'spanName',
  'publisherContext',
  'requestHook',
  'responseHook',
] as const;
const BOOLEANS = [
  'enabled',
  'requireParent',
  'returnedRows',
  'acquireSpans',
  'legacyAttributes',
  'streamContext',
] as const;

/** The options by their names. */
export const CLIENT_OPTIONS: ReadonlySet<string> = new Set([
  ...FUNCTIONS,
  ...BOOLEANS,
  'maxTextLength',
  'parameters',
  'sqlCommenter',
]);

/**
 * Checks `config`; throws `ERR_OPTION` for an invalid name or value. `requireParent` is the
 * client's own default.
 */
export function resolveClientConfig(
  config: ClientConfig,
  requireParent: boolean | 'housekeeping' = 'housekeeping',
): ResolvedConfig {
  for (const key of Object.keys(config)) {
    if (CLIENT_OPTIONS.has(key)) continue;
    throw optionError('config', `made of ${[...CLIENT_OPTIONS].join(', ')}`, key);
  }
  for (const key of BOOLEANS) expect(key, 'true or false', config[key], 'boolean');
  for (const key of FUNCTIONS) expect(key, 'a function', config[key], 'function');
  const { maxTextLength = 4096, parameters = [], sqlCommenter = false } = config;
  if (!Number.isSafeInteger(maxTextLength) || maxTextLength < 0) {
    throw optionError('maxTextLength', 'a whole number of characters', maxTextLength);
  }
  if (!Array.isArray(parameters)) {
    throw optionError('parameters', 'a list of names and positions', parameters);
  }
  if (typeof sqlCommenter !== 'boolean' && typeof sqlCommenter?.inject !== 'function') {
    throw optionError('sqlCommenter', 'true, false or a propagator', sqlCommenter);
  }
  const duplicate = environment()['OTEL_SEMCONV_STABILITY_OPT_IN']?.includes('database/dup');
  return {
    returnedRows: false,
    acquireSpans: false,
    legacyAttributes: duplicate === true,
    streamContext: false,
    ...config,
    enabled: config.enabled ?? true,
    requireParent: config.requireParent ?? requireParent,
    maxTextLength,
    parameters,
  };
}

function expect(key: string, expected: string, value: unknown, type: string): void {
  // oxlint-disable-next-line valid-typeof
  if (value !== undefined && typeof value !== type) throw optionError(key, expected, value);
}
