import assert from 'node:assert/strict';

import type fc from 'fast-check';

import { ClewError } from '../../src/base/errors.ts';
import { HttpError } from '../../src/viewer/http/read-body.ts';

/** A parser of input from outside: what is put in, and what has to hold for each of these. */
export interface Target<Input = unknown> {
  readonly input: fc.Arbitrary<Input>;
  /** Throws where the parser does what it must not. */
  check(input: Input): void | Promise<void>;
}

/** What the engine writes where code took the shape of an input for granted. */
const INTERNAL =
  /Cannot (?:read propert|convert|mix|set|destructure)|is not (?:a function|iterable|defined)|(?<![`(])undefined|call stack|outside buffer|out of range|Invalid (?:array|string|count)|must be of type/i;
const MAX_MESSAGE = 1000;

/** Fails unless `error` is a documented one whose message can be understood. */
export function assertClear(error: unknown): void {
  const known = error instanceof ClewError || error instanceof HttpError;
  assert.ok(known, `not a documented error: ${(error as Error)?.stack}`);
  const { message, code } = error as ClewError;
  const shown = JSON.stringify(message.slice(0, MAX_MESSAGE));
  assert.match(code, /^ERR_[A-Z_]+$/);
  assert.ok(!INTERNAL.test(message), `the message does not say what is wrong: ${shown}`);
  assert.ok(message.length <= MAX_MESSAGE, `the message is too long: ${shown}`);
}

/** What `parse` returns; undefined where it throws as documented. */
export function parsed<Result>(parse: () => Result): Result | undefined {
  try {
    return parse();
  } catch (error) {
    assertClear(error);
    return undefined;
  }
}

/** `value` as JSON; fails where it holds a number that JSON has no form for. */
export function asWellFormedJson(value: unknown): string {
  const json = JSON.stringify(value, (key, one: unknown) => {
    assert.ok(typeof one !== 'number' || Number.isFinite(one), `${key} is ${String(one)}`);
    return one;
  });
  JSON.parse(json);
  return json;
}
