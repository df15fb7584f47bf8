import { parseArgs, type ParseArgsConfig } from 'node:util';

import { ClewError, messageOf } from '../base/errors.ts';

type Options = NonNullable<ParseArgsConfig['options']>;
type Values<Config extends Options> = ReturnType<
  typeof parseArgs<{ options: Config; args: string[] }>
>['values'];

/** Parses a command's arguments. An unknown or malformed one is an `ERR_OPTION`. */
export function parseArguments<Config extends Options>(
  args: string[],
  options: Config,
): Values<Config> {
  return parseWithNames(args, options, 0).values;
}

/** The same for a command that takes up to `max` names, of files for example, beside its options. */
export function parseWithNames<Config extends Options>(
  args: string[],
  options: Config,
  max: number,
): { values: Values<Config>; names: string[] } {
  try {
    const allowPositionals = max > 0;
    const parsed = parseArgs({ args, options, strict: true, allowPositionals });
    const names: string[] = parsed.positionals;
    if (names.length > max) throw new TypeError(`Unexpected argument '${names[max]}'`);
    return { values: parsed.values, names };
  } catch (error) {
    throw new ClewError('ERR_OPTION', messageOf(error).split('. To specify')[0] ?? '', {
      cause: error,
    });
  }
}
