import type { ClewError } from '../../../base/errors.ts';
import { SettingsReader, type Environment } from '../../../base/settings-reader.ts';
import { messageOf, ClewError as Problem } from '../../../base/errors.ts';
import { isSecretHeader } from '../captured-headers.ts';
import { readKnownMethods } from '../known-methods.ts';
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
    ignorePaths: listOf(reader, 'CLEW_HTTP_IGNORE_INCOMING'),
    requestHeaders: headersOf(reader, `${CAPTURE}REQUEST_HEADERS`),
    responseHeaders: headersOf(reader, `${CAPTURE}RESPONSE_HEADERS`),
    knownMethods: [...readKnownMethods(env)],
    trustedProxies: proxiesOf(reader),
    serverTiming: isOn(reader, 'CLEW_HTTP_SERVER_TIMING', 'off'),
    handlerNames: isOn(reader, 'CLEW_HTTP_HANDLER_NAMES', 'on'),
  };
  return { settings, problems: reader.problems };
}

function listOf(reader: SettingsReader, variable: string): string[] {
  return (reader.text(variable) ?? '')
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');
}

/** The list without the headers that are never recorded, of which one line says so. */
function headersOf(reader: SettingsReader, variable: string): string[] {
  const names = listOf(reader, variable);
  const secret = names.filter((name) => isSecretHeader(name));
  if (secret.length > 0) {
    reader.problems.push(
      new Problem(
        'ERR_OPTION',
        `\`${variable}\` names ${secret.join(', ')}, which may carry a secret and is not recorded.`,
      ),
    );
  }
  return names.filter((name) => !secret.includes(name));
}

/** Where one of them cannot be read, none is trusted. */
function proxiesOf(reader: SettingsReader): string[] {
  const proxies = listOf(reader, 'CLEW_HTTP_TRUSTED_PROXIES');
  try {
    void new TrustedProxies(proxies);
    return proxies;
  } catch (error) {
    const message = messageOf(error).replace('trustedProxies', 'CLEW_HTTP_TRUSTED_PROXIES');
    reader.problems.push(new Problem('ERR_OPTION', message));
    return [];
  }
}

function isOn(reader: SettingsReader, variable: string, fallback: 'on' | 'off'): boolean {
  const value = reader.choice(variable, ['on', 'off', 'true', 'false', '1', '0'], fallback);
  return ['on', 'true', '1'].includes(value);
}
