import assert from 'node:assert/strict';

import { propagation, SpanKind, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { W3CTraceContextPropagator } from '@opentelemetry/core';
import type { ReadableSpan } from '@opentelemetry/sdk-trace-base';

import { AsyncHooksContextManager } from '../../../../src/context/async-hooks-context-manager.ts';
import { asCaller, caller } from '../../support/callers.ts';
import { watchOperations } from '../../support/operations.ts';
import { registerTelemetry, type Telemetry } from '../../support/telemetry.ts';

/**
 * Says where the user's code runs. What runs in a handler is named `handler ...`, and must be inside the
 * span of its message; everything else must be outside of every span of ours.
 */
export type Note = (place: string) => void;

/** One way to call a messaging library, as an application would write it. */
export interface MessagingForm<Target> {
  name: string;
  /** Does the whole operation for a caller with a destination of its own, whose name it is given. */
  run(target: Target, own: string, note: Note): Promise<unknown>;
  /** The spans it makes, by `type destination`; `OWN` stands for the name. Default: one `send OWN`. */
  spans?: string[];
  /** Why an operation of it never ends, if so. */
  forgets?: string;
}

export interface MessagingSetting<Target> {
  name: string;
  open(): Promise<{ target: Target; close(): Promise<unknown> }>;
  forms: MessagingForm<Target>[];
  /** Whether messages carry no context, so that a consumer's span has no link. */
  isUnlinked?: boolean;
}

export const OWN = 'OWN';

const CALLERS = ['a', 'b', 'c'];
let runs = 0;

/** Lets three callers use each form at once: own context everywhere, and exactly the right spans. */
export function describeMessagingForms<Target>(setting: MessagingSetting<Target>): void {
  for (const form of setting.forms) {
    it(`keeps three callers apart: ${setting.name}, ${form.name}`, async () => {
      for (const manager of [
        new AsyncHooksContextManager(),
        new AsyncLocalStorageContextManager(),
      ]) {
        const telemetry = registerTelemetry(manager);
        propagation.disable();
        propagation.setGlobalPropagator(new W3CTraceContextPropagator());
        const opened = await setting.open();
        telemetry.reset();
        const operations = watchOperations();
        const places: Place[] = [];
        const names = new Map(
          CALLERS.map((name) => [name, `clew-${name}-${process.pid}-${++runs}`]),
        );
        const oneCaller = (name: string): Promise<unknown> =>
          asCaller(
            name,
            () => {
              const own = names.get(name)!;
              return form.run(
                opened.target,
                own,
                (place) => void places.push(placeOf(name, place)),
              );
            },
            { withSpan: true },
          );
        try {
          await Promise.race([Promise.all(CALLERS.map(oneCaller)), timeout(form.name)]);
        } finally {
          await opened.close();
        }
        assert.deepEqual(
          places.filter(({ is }) => is !== 'right'),
          [],
        );
        for (const name of CALLERS) assert.ok(places.some((place) => place.caller === name));
        for (const [name, own] of names)
          assertSpans(telemetry, form, name, own, setting.isUnlinked);
        assert.deepEqual(telemetry.openSpans(), []);
        if (!form.forgets) assert.deepEqual(await operations.unended(), []);
      }
    });
  }
}

interface Place {
  caller: string;
  place: string;
  is: string;
}

function placeOf(name: string, place: string): Place {
  const active = trace.getActiveSpan() as ReadableSpan | undefined;
  const isHandler = place.startsWith('handler');
  const wanted = isHandler ? active?.kind === SpanKind.CONSUMER : !isOurs(active);
  const is = caller() !== name ? `that of ${caller()}` : wanted ? 'right' : `in ${active?.name}`;
  return { caller: name, place, is };
}

const isOurs = (span: ReadableSpan | undefined): boolean =>
  span?.instrumentationScope.name.startsWith('clew/') === true;

function assertSpans<Target>(
  telemetry: Telemetry,
  form: MessagingForm<Target>,
  name: string,
  own: string,
  isUnlinked = false,
): void {
  const all = telemetry.spans();
  const callers = all.find((span) => span.name === `caller ${name}`)!.spanContext();
  const mine = all.filter((span) => isOurs(span) && describe_(span).includes(own));
  const expected = form.spans ?? [`send ${OWN}`];
  assert.deepEqual(
    mine.map((span) => describe_(span).replaceAll(own, OWN)).sort(),
    expected.toSorted(),
  );
  for (const span of mine) {
    const parent = span.parentSpanContext?.spanId;
    if (span.kind !== SpanKind.CONSUMER) assert.equal(parent, callers.spanId, span.name);
    else {
      // A consumer is registered in a request, and does not belong to it.
      assert.equal(parent, undefined, span.name);
      const linked = [...new Set(span.links.map(({ context }) => context.traceId))];
      assert.deepEqual(linked, isUnlinked ? [] : [callers.traceId], span.name);
    }
  }
}

function describe_(span: ReadableSpan): string {
  const { 'messaging.operation.type': type, 'messaging.destination.name': name } = span.attributes;
  return `${String(type)} ${String(name)}`;
}

async function timeout(form: string): Promise<never> {
  await new Promise((resolve) => setTimeout(resolve, 15_000).unref());
  throw new Error(`${form} did not finish`);
}
