import assert from 'node:assert/strict';

import { context, ROOT_CONTEXT, trace } from '@opentelemetry/api';
import { BasicTracerProvider, type Span } from '@opentelemetry/sdk-trace-base';

import type { Instrumentation } from '../../../src/instrumentation/index.ts';
import { registerContextManager } from './telemetry.ts';

/** What an application does, and what it sees of it: data that can be compared. */
export type Scenario = () => unknown;

/**
 * Runs `scenario` without and with `instrumentation`: the application must not see a difference.
 * Returns the number of spans, which all have to have ended.
 */
export async function assertNoDifference(
  scenario: Scenario,
  instrumentation: Pick<Instrumentation, 'enable' | 'disable'>,
): Promise<number> {
  registerContextManager();
  // A context in use has some versions of Node mark every promise, with and without us.
  const run = (): Promise<unknown> => context.with(ROOT_CONTEXT, outcomeOf, undefined, scenario);
  const bare = await run();
  const started = new Set<Span>();
  const ended = new Set<unknown>();
  trace.disable();
  trace.setGlobalTracerProvider(
    new BasicTracerProvider({
      spanProcessors: [
        {
          onStart: (span) => void started.add(span),
          onEnd: (span) => void ended.add(span),
          forceFlush: async () => undefined,
          shutdown: async () => undefined,
        },
      ],
    }),
  );
  instrumentation.enable();
  try {
    assert.deepEqual(await run(), bare);
  } finally {
    instrumentation.disable();
  }
  assert.deepEqual(
    [...started].filter((span) => !ended.has(span)).map(({ name }) => name),
    [],
  );
  return started.size;
}

/** What came out, and what was thrown past everybody meanwhile. */
async function outcomeOf(scenario: Scenario): Promise<unknown> {
  const unhandled: string[] = [];
  const note = (error: unknown): void => void unhandled.push(String(error));
  const others = new Map(
    (['uncaughtException', 'unhandledRejection'] as const).map((event) => {
      const listeners = process.listeners(event as 'uncaughtException');
      process.removeAllListeners(event);
      process.on(event as 'uncaughtException', note);
      return [event, listeners];
    }),
  );
  let outcome: unknown;
  try {
    outcome = { result: await scenario() };
  } catch (error) {
    outcome = describeError(error);
  }
  // What nobody handled is told after the microtasks.
  await new Promise((resolve) => setImmediate(resolve));
  for (const [event, listeners] of others) {
    process.removeAllListeners(event);
    for (const listener of listeners) process.on(event as 'uncaughtException', listener);
  }
  return { outcome, unhandled };
}

/** An error as a log shows it, without what differs from run to run. */
export function describeError(error: unknown): unknown {
  if (!(error instanceof Error)) return { thrown: error };
  const { code } = error as { code?: unknown };
  return { name: error.name, message: error.message, code, keys: Object.keys(error) };
}
