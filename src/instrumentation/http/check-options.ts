import { optionError } from '../../base/errors.ts';

/** What an option has to be, by its name. */
export type OptionKinds = Readonly<Record<string, keyof typeof EXPECTED>>;

const EXPECTED = {
  boolean: 'true or false',
  function: 'a function',
  list: 'a list of texts',
  text: 'a text',
} as const;

/** Throws an `ERR_OPTION` for a value or a name in `config` that is no good; `where` is its own name. */
export function checkOptions(where: string, config: object, kinds: OptionKinds): void {
  for (const [key, value] of Object.entries(config) as [string, unknown][]) {
    const kind = Object.hasOwn(kinds, key) ? kinds[key] : undefined;
    if (kind === undefined) {
      throw optionError(where, `made of ${Object.keys(kinds).join(', ')}`, key);
    }
    if (value !== undefined && !isOfKind(value, kind)) {
      throw optionError(key, EXPECTED[kind], value);
    }
  }
}

function isOfKind(value: unknown, kind: keyof typeof EXPECTED): boolean {
  if (kind === 'text') return typeof value === 'string';
  if (kind !== 'list') return typeof value === kind;
  return Array.isArray(value) && value.every((each) => typeof each === 'string');
}
