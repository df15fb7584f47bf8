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
  try {
    return parseArgs({ args, options, strict: true }).values;
  } catch (error) {
    throw new ClewError('ERR_OPTION', messageOf(error).split('. To specify')[0] ?? '', {
      cause: error,
    });
  }
}
