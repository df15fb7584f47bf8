import type { Attributes } from '@opentelemetry/api';

import { runTime, type AsyncRecord } from './record.ts';
import { creationLine } from './stack.ts';

/** The prefix of attributes that describe an async resource on a span. */
export const RESOURCE_PREFIX = 'clew.async_resource.';

const MAX_CALLBACKS = 100;

/** Describes one async resource, as attributes of the span that represents it. */
export function attributesOfRecord(record: AsyncRecord): Attributes {
  const attributes: Attributes = {
    [`${RESOURCE_PREFIX}id`]: record.asyncId,
    [`${RESOURCE_PREFIX}type`]: record.type,
    [`${RESOURCE_PREFIX}trigger_id`]: record.triggerAsyncId,
    [`${RESOURCE_PREFIX}execution_id`]: record.executionAsyncId,
    [`${RESOURCE_PREFIX}callbacks`]: Math.ceil(record.slices.length / 2) + record.slicesDropped,
  };
  const line = record.stack && creationLine(record.stack);
  if (line !== undefined) attributes[`${RESOURCE_PREFIX}created_at`] = line;
  if (record.bornBefore) attributes[`${RESOURCE_PREFIX}born_before`] = true;
  return attributes;
}

/**
 * The same for the span of an operation that began at `start` and is about to end: what is known by
 * then.
 */
export function attributesWhenShown(record: AsyncRecord, start: number, now: number): Attributes {
  const { slices } = record;
  // The callback that ends the span is still running.
  const ended = slices.length % 2 === 1 ? [...slices, now] : slices;
  return {
    ...attributesOfRecord(record),
    [`${RESOURCE_PREFIX}run_ms`]: toMicros(runTime(ended)),
    [`${RESOURCE_PREFIX}running`]: runningSince(start, ended),
  };
}

/**
 * Returns callbacks as whole microseconds since `start`, `before` and `after` in turn, ordered and
 * without overlap: the first 100 at most.
 */
export function runningSince(start: number, slices: readonly number[]): number[] {
  const apart: [before: number, after: number][] = [];
  const pairs: [before: number, after: number][] = [];
  for (let i = 0; i + 1 < slices.length; i += 2) pairs.push([slices[i] ?? 0, slices[i + 1] ?? 0]);
  for (const [before, after] of pairs.sort((a, b) => a[0] - b[0])) {
    const last = apart.at(-1);
    if (last && before <= last[1]) last[1] = Math.max(last[1], after);
    else apart.push([before, after]);
  }
  const times = apart.slice(0, MAX_CALLBACKS).flat();
  return times.map((at) => Math.max(0, Math.round((at - start) * 1e3)));
}

/** Rounds milliseconds to three decimal places. */
export function toMicros(millis: number): number {
  return Math.round(millis * 1e3) / 1e3;
}
