import { ClewError } from '../../../base/errors.ts';
import { SettingsReader, type Environment } from '../../../base/settings-reader.ts';
import { isSecretHeader } from '../captured-headers.ts';
import { readKnownMethods } from '../known-methods.ts';
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
    ignoreUrls: listOf(reader, 'CLEW_HTTP_IGNORE_OUTGOING'),
    requireParent: isOn(reader, 'CLEW_HTTP_REQUIRE_PARENT'),
    requestHeaders: headersOf(reader, `${CAPTURE}REQUEST_HEADERS`),
    responseHeaders: headersOf(reader, `${CAPTURE}RESPONSE_HEADERS`),
    knownMethods: [...readKnownMethods(env)],
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
      new ClewError(
        'ERR_OPTION',
        `\`${variable}\` names ${secret.join(', ')}, which may carry a secret and is not recorded.`,
      ),
    );
  }
  return names.filter((name) => !secret.includes(name));
}

function isOn(reader: SettingsReader, variable: string): boolean {
  const value = reader.choice(variable, ['on', 'off', 'true', 'false', '1', '0'], 'off');
  return ['on', 'true', '1'].includes(value);
}
