import type { Span } from '@opentelemetry/api';

import { optionError } from '../../base/errors.ts';
import { checkOptions } from '../http/check-options.ts';
import type { MessageOperation } from './message-operation.ts';

/**
 * What a consumer's span is to its producer's: under whatever is active where the consumer runs,
 * with a link (`link`), a child in the same trace (`child`), or a trace of its own with a link (`root`).
 */
export type ConsumerSpan = 'link' | 'child' | 'root';

export const CONSUMER_SPANS: readonly ConsumerSpan[] = ['link', 'child', 'root'];

/** The configuration of a messaging library's instrumentation: the same for every library. */
export interface MessagingConfig {
  /** Whether the library is instrumented at all. Default: true. */
  enabled?: boolean;
  /**
   * What a consumer's span is to its producer's: `link` is under whatever is active where the
   * consumer runs, with a link; `child` is in the producer's trace; `root` begins a trace of its own,
   * with a link. A batch and what was delayed or is repeated are linked in any case. Default: what
   * `CLEW_CONSUMER_SPAN` says, else `link`, as in OpenTelemetry's conventions.
   */
  consumerSpan?: ConsumerSpan;
  /** Whether messages carry the trace context of their producer. Default: true. */
  propagate?: boolean;
  /**
   * Operations for which it returns true make no span and no measurement; a message then carries the
   * context that is active.
   */
  ignore?: (operation: Readonly<MessageOperation>) => boolean;
  /** Names a span in place of `proposed`. A name of many forms makes many series. */
  spanName?: (operation: Readonly<MessageOperation>, proposed: string) => string | undefined;
  /** Called with each recorded span at its start, to add what only the application knows. */
  requestHook?: (span: Span, operation: Readonly<MessageOperation>) => void;
  /** Called with each recorded span before its end, with the result or the error. */
  responseHook?: (span: Span, response: { error?: unknown; result?: unknown }) => void;
}

/** The configuration with its defaults filled in. */
export type ResolvedMessagingConfig = Readonly<
  MessagingConfig & Required<Pick<MessagingConfig, 'enabled' | 'consumerSpan' | 'propagate'>>
>;

const KINDS = {
  enabled: 'boolean',
  consumerSpan: 'text',
  propagate: 'boolean',
  ignore: 'function',
  spanName: 'function',
  requestHook: 'function',
  responseHook: 'function',
} as const;

/** The options by their names. */
export const MESSAGING_OPTIONS: ReadonlySet<string> = new Set(Object.keys(KINDS));

/** Checks `config`; a value or a name that is no good is an `ERR_OPTION`. */
export function resolveMessagingConfig(
  config: MessagingConfig,
  defaultSpan: ConsumerSpan = 'link',
): ResolvedMessagingConfig {
  checkOptions('config', config, KINDS);
  const { consumerSpan = defaultSpan } = config;
  if (!CONSUMER_SPANS.includes(consumerSpan)) {
    throw optionError('consumerSpan', `one of ${CONSUMER_SPANS.join(', ')}`, consumerSpan);
  }
  return Object.freeze({
    ...config,
    enabled: config.enabled ?? true,
    propagate: config.propagate ?? true,
    consumerSpan,
  });
}
