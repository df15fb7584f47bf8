import { isDeepStrictEqual } from 'node:util';

import type { TestSpan } from './test-span.ts';

/** What an attribute must be: a value, a pattern for its text, or a test of one's own. */
export type ExpectedValue =
  string | number | boolean | readonly unknown[] | RegExp | ((value: unknown) => boolean);

/** What a span must be like; what is left out is not looked at. */
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

/** Whether a span below `parent` is as expected. */
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

/** A name stands for a span of that name. */
export function toExpected(expected: Name | ExpectedSpan): ExpectedSpan {
  const isName = typeof expected === 'string' || expected instanceof RegExp;
  return isName ? { name: expected } : expected;
}

/** Whether a text is the one expected, or matches the pattern. */
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

/** Of a span, what was asked for. */
export function relevant(span: TestSpan, expected: ExpectedSpan): Record<string, unknown> {
  const { kind, status } = span;
  const keys = Object.keys(expected.attributes ?? {});
  const attributes = Object.fromEntries(keys.map((key) => [key, span.attributes[key]]));
  return { kind, status, ...(keys.length > 0 ? { attributes } : {}) };
}

/** What is expected, as a message shows it. */
export function show(value: unknown): string {
  if (typeof value === 'string') return `\`${value}\``;
  if (value instanceof RegExp) return String(value);
  const text = JSON.stringify(value, (_key, part: unknown) => {
    if (part instanceof RegExp || typeof part === 'function') return String(part);
    return part === undefined ? 'missing' : part;
  });
  return text ?? String(value);
}
