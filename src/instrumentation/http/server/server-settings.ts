import { SettingsReader, type Environment } from '../../../base/settings-reader.ts';
import { ClewError, messageOf } from '../../../base/errors.ts';
import { readKnownMethods } from '../known-methods.ts';
import { readHeaders, readList, readPaths } from '../read-settings.ts';
import type { HttpServerConfig } from './server-config.ts';
import { TrustedProxies } from './trusted-proxies.ts';

const CAPTURE = 'OTEL_INSTRUMENTATION_HTTP_SERVER_CAPTURE_';

/**
 * Reads what the environment says of incoming requests. A bad value becomes one of `problems`, and
 * the default is used.
 */
export function readHttpServerSettings(env: Environment): {
  settings: HttpServerConfig;
  problems: ClewError[];
} {
  const reader = new SettingsReader(env);
  const settings: HttpServerConfig = {
    ignorePaths: readPaths(reader, 'CLEW_HTTP_IGNORE_INCOMING'),
    requestHeaders: readHeaders(reader, `${CAPTURE}REQUEST_HEADERS`),
    responseHeaders: readHeaders(reader, `${CAPTURE}RESPONSE_HEADERS`),
    knownMethods: [...readKnownMethods(env)],
    trustedProxies: proxiesOf(reader),
    serverTiming: reader.toggle('CLEW_HTTP_SERVER_TIMING', false),
    handlerNames: reader.toggle('CLEW_HTTP_HANDLER_NAMES', true),
    handlerSpans: reader.toggle('CLEW_HTTP_HANDLER_SPANS', false),
  };
  return { settings, problems: reader.problems };
}

/** Where one of them cannot be read, none is trusted. */
function proxiesOf(reader: SettingsReader): string[] {
  const proxies = readList(reader, 'CLEW_HTTP_TRUSTED_PROXIES');
  try {
    void new TrustedProxies(proxies);
    return proxies;
  } catch (error) {
    const message = messageOf(error).replace('trustedProxies', 'CLEW_HTTP_TRUSTED_PROXIES');
    reader.problems.push(new ClewError('ERR_OPTION', message));
    return [];
  }
}
