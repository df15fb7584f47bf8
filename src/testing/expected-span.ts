import { isDeepStrictEqual } from 'node:util';

import type { TestSpan } from './test-span.ts';

/** The expected value of an attribute: a value, a pattern for its text, or a predicate. */
export type ExpectedValue =
  string | number | boolean | readonly unknown[] | RegExp | ((value: unknown) => boolean);

/** Describes the expected span. Fields that are left out are not compared. */
export interface ExpectedSpan {
  name?: string | RegExp;
  kind?: TestSpan['kind'];
  status?: TestSpan['status'];
  /** The name of its parent. */
  parent?: string | RegExp;
  attributes?: Readonly<Record<string, ExpectedValue>>;
}

/** The name of a span, or a pattern that it must match. */
export type Name = string | RegExp;

/** Whether a span below `parent` matches. */
export function isExpected(
  span: TestSpan,
  parent: TestSpan | undefined,
  expected: ExpectedSpan,
): boolean {
  return (
    (expected.name === undefined || matchesText(span.name, expected.name)) &&
    (expected.kind === undefined || span.kind === expected.kind) &&
    (expected.status === undefined || span.status === expected.status) &&
    (expected.parent === undefined ||
      (parent !== undefined && matchesText(parent.name, expected.parent))) &&
    Object.entries(expected.attributes ?? {}).every(([key, value]) =>
      matchesValue(span.attributes[key], value),
    )
  );
}

/** Whether a text equals the expected one, or matches the pattern. */
export function matchesText(text: string, expected: Name): boolean {
  return typeof expected === 'string' ? text === expected : text.search(expected) !== -1;
}

function matchesValue(value: unknown, expected: ExpectedValue): boolean {
  if (typeof expected === 'function') return expected(value);
  if (expected instanceof RegExp) {
    return (
      value !== undefined && matchesText(typeof value === 'string' ? value : show(value), expected)
    );
  }
  return isDeepStrictEqual(value, expected);
}

/** Returns the expected fields of a span. */
export function relevant(span: TestSpan, expected: ExpectedSpan): Record<string, unknown> {
  const { kind, status } = span;
  const keys = Object.keys(expected.attributes ?? {});
  const attributes = Object.fromEntries(keys.map((key) => [key, span.attributes[key]]));
  return { kind, status, ...(keys.length > 0 ? { attributes } : {}) };
}

/** Formats the expectation for a message. */
export function show(value: unknown): string {
  if (typeof value === 'string') return `\`${value}\``;
  if (value instanceof RegExp) return String(value);
  const text = JSON.stringify(value, (_key, part: unknown) => {
    if (part instanceof RegExp || typeof part === 'function') return String(part);
    return part === undefined ? 'missing' : part;
  });
  return text ?? String(value);
}
