import type { Context, Span, SpanContext, TextMapPropagator } from '@opentelemetry/api';

import { environment } from '../base/environment.ts';
import { optionError } from '../base/errors.ts';
import type { Operation } from './operation.ts';

/** The configuration of an instrumentation: the same for every client. */
export interface ClientConfig {
  /** Whether the client is instrumented at all. Default: true. */
  enabled?: boolean;
  /**
   * Make a span for an operation only inside another span, so that what a library does of its own
   * accord (an idle worker that polls its queue) makes no traces. Durations are measured all the
   * same. Default: what `CLEW_REQUIRE_PARENT` says, else as OpenTelemetry's own instrumentation has
   * it, which is true for ioredis and mongodb; and true for what BullMQ asks of node-redis.
   */
  requireParent?: boolean;
  /** Operations for which it returns true are not recorded; their callers keep their context. */
  ignore?: (operation: Readonly<Operation>) => boolean;
  /** The longest `db.query.text`, in characters; what is longer is cut. Default: 4096. */
  maxTextLength?: number;
  /**
   * Makes `db.query.text` from a statement that came without values, in place of the sanitiser;
   * `undefined` shows no text. The statement holds the user's literals.
   */
  sanitizeText?: (text: string, operation: Readonly<Operation>) => string | undefined;
  /** Names a span in place of `proposed`. A name of many forms makes many series. */
  spanName?: (operation: Readonly<Operation>, proposed: string) => string | undefined;
  /**
   * The parameters to be recorded as `db.query.parameter.<key>`: names, and positions from 0.
   * Default: none.
   */
  parameters?: readonly (string | number)[];
  /** Record how many rows came back, where the client knows. Default: false. */
  returnedRows?: boolean;
  /**
   * Append the trace context as a comment to statements that are not prepared, for the database's
   * own logs: true for W3C trace context, or a propagator. Default: false.
   */
  sqlCommenter?: boolean | TextMapPropagator;
  /** Record the wait for a pooled connection as a span of its own. Default: false. */
  acquireSpans?: boolean;
  /**
   * Add the attributes by their old names (`db.system`, `db.statement` and so on), for dashboards
   * in transition. Default: whether `OTEL_SEMCONV_STABILITY_OPT_IN` has `database/dup`.
   */
  legacyAttributes?: boolean;
  /**
   * Tells in which context a message of a Redis channel was published, which the message itself must
   * say: `undefined` where it does not. With it each call of a subscriber's listener is recorded as
   * a span, linked to the publisher's. Default: none, and no such spans.
   */
  publisherContext?: (message: Readonly<ReceivedMessage>) => Context | SpanContext | undefined;
  /**
   * Add the trace context to each entry that `XADD` puts into a stream of Redis, as fields of its own
   * by the names of the propagators' fields. Readers of the stream get these fields, too. Default: false.
   */
  streamContext?: boolean;
  /** Called with each recorded span at its start, to add what only the application knows. */
  requestHook?: (span: Span, operation: Readonly<Operation>) => void;
  /** Called with each recorded span before its end, with the client's result or error. */
  responseHook?: (span: Span, response: { error?: unknown; result?: unknown }) => void;
}

/** A message as a subscriber's listener gets it. */
export interface ReceivedMessage {
  channel: string;
  /** Text or a buffer, as the listener gets it. */
  message: unknown;
  /** What was subscribed to, where that is a pattern and the client tells which. */
  pattern?: string;
}

/** The configuration with its defaults filled in. */
export type ResolvedConfig = Omit<ClientConfig, 'requireParent'> &
  Required<
    Pick<
      ClientConfig,
      Exclude<(typeof BOOLEANS)[number], 'requireParent'> | 'maxTextLength' | 'parameters'
    >
  > & {
    /** Of which operations: all, none, or those that are a library's housekeeping. */
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
 * Checks `config`; a value or a name that is no good is an `ERR_OPTION`. `requireParent` is the
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
