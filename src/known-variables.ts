import { ClewError } from './base/errors.ts';
import { nearest, type Environment } from './base/settings-reader.ts';

/** Every variable of clew's own that it reads; `docs/configuration.md` describes them. */
export const KNOWN_VARIABLES: readonly string[] = [
  'CLEW_COLLECTOR_REPORTED',
  'CLEW_CONSUMER_SPAN',
  'CLEW_CONTEXT_STORE',
  'CLEW_DOCTOR',
  'CLEW_EXPORT_EXIT_WAIT',
  'CLEW_EXPORT_MAX_QUEUE_BYTES',
  'CLEW_EXPORT_ON_OVERFLOW',
  'CLEW_EXPORT_THREAD',
  'CLEW_HTTP_HANDLER_NAMES',
  'CLEW_HTTP_HANDLER_SPANS',
  'CLEW_HTTP_IGNORE_INCOMING',
  'CLEW_HTTP_IGNORE_OUTGOING',
  'CLEW_HTTP_REQUIRE_PARENT',
  'CLEW_HTTP_SERVER_TIMING',
  'CLEW_HTTP_TRUSTED_PROXIES',
  'CLEW_JAEGER_HINTS',
  'CLEW_LOG_CONSOLE',
  'CLEW_LOG_FIELDS',
  'CLEW_MESSAGE_CONTEXT',
  'CLEW_PRINT_REQUESTS',
  'CLEW_PROCESS_CONTEXT',
  'CLEW_PROCESS_CONTEXT_MAX_AGE',
  'CLEW_RECORD_FOLDER',
  'CLEW_RECORD_SECRET',
  'CLEW_RECORD_SIGNAL',
  'CLEW_RECORD_START',
  'CLEW_REPAIR',
  'CLEW_REPORT_START',
  'CLEW_REQUIRE_PARENT',
  'CLEW_RESOURCE_SPANS',
  'CLEW_RUN_REPORT',
  'CLEW_SPOOL',
  'CLEW_SPOOL_MAX_AGE',
  'CLEW_SPOOL_MAX_BYTES',
  'CLEW_TRACER',
  'CLEW_VIEW_TOKEN',
];

/** Reports variables that look like a misspelt one of these. */
export function reportUnknownVariables(env: Environment, problems: ClewError[]): void {
  for (const name of Object.keys(env)) {
    if (!name.startsWith('CLEW_') || KNOWN_VARIABLES.includes(name)) continue;
    const near = nearest(name, KNOWN_VARIABLES);
    if (near === undefined) continue;
    const message = `\`${name}\` is not a variable of clew. Did you mean \`${near}\`?`;
    problems.push(new ClewError('ERR_OPTION', message));
  }
}
