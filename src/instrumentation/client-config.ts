import type { Span } from '@opentelemetry/api';

import { optionError } from '../base/errors.ts';
import type { Operation } from './operation.ts';

/** The configuration of an instrumentation: the same for every client. */
export interface ClientConfig {
  /** Whether the client is instrumented at all. Default: true. */
  enabled?: boolean;
  /** Record an operation only inside a span. Default: false. */
  requireParent?: boolean;
  /** Operations for which it returns true are not recorded; their callers keep their context. */
  ignore?: (operation: Readonly<Operation>) => boolean;
  /** The longest `db.query.text`, in characters; what is longer is cut. Default: 4096. */
  maxTextLength?: number;
  /** Called with each recorded span at its start, to add what only the application knows. */
  requestHook?: (span: Span, operation: Readonly<Operation>) => void;
  /** Called with each recorded span before its end, with the client's result or error. */
  responseHook?: (span: Span, response: { error?: unknown; result?: unknown }) => void;
}

/** The configuration with its defaults filled in. */
export type ResolvedConfig = ClientConfig &
  Required<Pick<ClientConfig, 'enabled' | 'requireParent' | 'maxTextLength'>>;

const FUNCTIONS = ['ignore', 'requestHook', 'responseHook'] as const;
const BOOLEANS = ['enabled', 'requireParent'] as const;

/** Checks `config`; a value that is no good is an `ERR_OPTION`. */
export function resolveClientConfig(config: ClientConfig): ResolvedConfig {
  for (const key of BOOLEANS) {
    const value: unknown = config[key];
    if (value !== undefined && typeof value !== 'boolean') {
      throw optionError(key, 'true or false', value);
    }
  }
  for (const key of FUNCTIONS) {
    const value: unknown = config[key];
    if (value !== undefined && typeof value !== 'function') {
      throw optionError(key, 'a function', value);
    }
  }
  const { maxTextLength = 4096 } = config;
  if (!Number.isSafeInteger(maxTextLength) || maxTextLength < 0) {
    throw optionError('maxTextLength', 'a whole number of characters', maxTextLength);
  }
  return { enabled: true, requireParent: false, ...config, maxTextLength };
}
