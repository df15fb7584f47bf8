import { optionError } from '../base/errors.ts';
import type { ExpectedSpan, Name } from './expected-span.ts';

const KEYS = ['name', 'kind', 'status', 'parent', 'attributes'];
const KINDS = ['internal', 'server', 'client', 'producer', 'consumer'];
const STATUSES = ['unset', 'ok', 'error'];

/** A name matches a span of that name. Throws `ERR_OPTION` for an expectation that could match nothing, or anything. */
export function toExpected(expected: Name | ExpectedSpan): ExpectedSpan {
  if (isName(expected)) return { name: expected };
  const isObject = typeof expected === 'object' && expected !== null && !Array.isArray(expected);
  if (!isObject || Object.keys(expected).length === 0) {
    throw optionError('expected', `a name, a pattern or an object of ${KEYS.join(', ')}`, expected);
  }
  const unknown = Object.keys(expected).find((key) => !KEYS.includes(key));
  if (unknown !== undefined) throw optionError('expected', `made of ${KEYS.join(', ')}`, unknown);
  const { name, kind, status, parent, attributes } = expected;
  for (const [key, value] of Object.entries({ name, parent })) {
    if (value !== undefined && !isName(value)) {
      throw optionError(`expected.${key}`, 'a text or a pattern', value);
    }
  }
  checkWord('expected.kind', kind, KINDS);
  checkWord('expected.status', status, STATUSES);
  if (attributes !== undefined && (typeof attributes !== 'object' || attributes === null)) {
    throw optionError('expected.attributes', 'an object of attributes', attributes);
  }
  return expected;
}

/** Throws `ERR_OPTION` for what is no whole number of at least 0. */
export function checkCount(name: string, count: unknown): void {
  if (!Number.isInteger(count) || (count as number) < 0) {
    throw optionError(name, 'a whole number of at least 0', count);
  }
}

/** Throws `ERR_OPTION` for what is no list with an expectation. */
export function checkList(name: string, list: unknown): void {
  if (Array.isArray(list) && list.length > 0) return;
  throw optionError(name, 'a list of one or more expected spans', list);
}

function checkWord(name: string, value: unknown, known: readonly string[]): void {
  if (value === undefined || known.includes(value as string)) return;
  throw optionError(name, `one of ${known.join(', ')}`, value);
}

function isName(value: unknown): value is Name {
  return typeof value === 'string' || value instanceof RegExp;
}
