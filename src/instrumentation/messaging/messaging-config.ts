import type { Span } from '@opentelemetry/api';

import { optionError } from '../../base/errors.ts';
import { checkOptions } from '../http/check-options.ts';
import type { MessageOperation } from './message-operation.ts';

/**
 * How a consumer's span relates to its producer's. `link`: a child of the active span, with a link
 * to the producer's. `child`: a child of the producer's span, in the same trace. `root`: the root
 * of a new trace, with a link.
 */
export type ConsumerSpan = 'link' | 'child' | 'root';

export const CONSUMER_SPANS: readonly ConsumerSpan[] = ['link', 'child', 'root'];

/** The configuration of a messaging library's instrumentation: the same for every library. */
export interface MessagingConfig {
  /** Whether the library is instrumented at all. Default: true. */
  enabled?: boolean;
  /**
   * How a consumer's span relates to its producer's: `link` makes it a child of the active span,
   * with a link; `child` puts it in the producer's trace; `root` starts a new trace, with a link.
   * Batches, delayed and repeated messages always get links. Default: `CLEW_CONSUMER_SPAN`, or
   * `link`, as in OpenTelemetry's conventions.
   */
  consumerSpan?: ConsumerSpan;
  /** Whether messages carry the trace context of their producer. Default: true. */
  propagate?: boolean;
  /**
   * Return true to make no span and no measurement for an operation. A message then carries the
   * active context.
   */
  ignore?: (operation: Readonly<MessageOperation>) => boolean;
  /** Returns the name of a span, in place of `proposed`. Keep it low in cardinality. */
  spanName?: (operation: Readonly<MessageOperation>, proposed: string) => string | undefined;
  /**
   * Called with each recorded span when it starts, to add attributes that only the application
   * knows.
   */
  requestHook?: (span: Span, operation: Readonly<MessageOperation>) => void;
  /** Called with each recorded span before it ends, with the result or the error. */
  responseHook?: (span: Span, response: { error?: unknown; result?: unknown }) => void;
}

/** The configuration with defaults filled in. */
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

/** Checks `config`; throws `ERR_OPTION` for an invalid name or value. */
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
