import type { ClewError } from '../../../base/errors.ts';
import { SettingsReader, type Environment } from '../../../base/settings-reader.ts';
import { readKnownMethods } from '../known-methods.ts';
import { readHeaders, readList } from '../read-settings.ts';
import type { HttpClientConfig } from './client-config.ts';

const CAPTURE = 'OTEL_INSTRUMENTATION_HTTP_CLIENT_CAPTURE_';

/**
 * Reads what the environment says of outgoing requests. A bad value becomes one of `problems`, and the
 * default is used.
 */
export function readHttpClientSettings(env: Environment): {
  settings: HttpClientConfig;
  problems: ClewError[];
} {
  const reader = new SettingsReader(env);
  const settings: HttpClientConfig = {
    ignoreUrls: readList(reader, 'CLEW_HTTP_IGNORE_OUTGOING'),
    requireParent: reader.toggle('CLEW_HTTP_REQUIRE_PARENT', false),
    requestHeaders: readHeaders(reader, `${CAPTURE}REQUEST_HEADERS`),
    responseHeaders: readHeaders(reader, `${CAPTURE}RESPONSE_HEADERS`),
    knownMethods: [...readKnownMethods(env)],
  };
  return { settings, problems: reader.problems };
}
