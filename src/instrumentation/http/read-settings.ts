import { ClewError } from '../../base/errors.ts';
import type { SettingsReader } from '../../base/settings-reader.ts';
import { isSecretHeader } from './captured-headers.ts';

/* The forms of variables that incoming and outgoing requests have in common. */

/** A list with commas, without what is empty. */
export function readList(reader: SettingsReader, variable: string): string[] {
  return (reader.text(variable) ?? '')
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');
}

/** A list of patterns of paths. One that can match no path is reported. */
export function readPaths(reader: SettingsReader, variable: string): string[] {
  const paths = readList(reader, variable);
  for (const path of paths) {
    if (/^[/*]/.test(path)) continue;
    const expected = 'a list of paths that begin with / or *';
    reader.refuse(variable, expected, path, 'it matches no request');
  }
  return paths;
}

/** A list of headers without those that are never recorded, of which a problem reports the names. */
export function readHeaders(reader: SettingsReader, variable: string): string[] {
  const names = readList(reader, variable);
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
