import { AsyncResource } from 'node:async_hooks';
import { EventEmitter } from 'node:events';

import {
  createContextKey,
  ROOT_CONTEXT,
  type Context,
  type ContextManager,
} from '@opentelemetry/api';

import type { BodyStep, Step } from './program.ts';
import { AWAITABLES, CALLBACKS, type Servers } from './sources.ts';

const KEY = createContextKey('name');
const nameOf = (context: Context): string =>
  String((context.getValue(KEY) as number | string | undefined) ?? 'none');

export interface Outcome {
  observations: number;
  /** What was seen instead of what, and where. */
  wrong: string[];
}

type Manager = ContextManager & { attach?(context: Context): { dispose(): void } };

/**
 * Runs a program and compares each observation with the context that the program text says: code
 * runs in the context it was requested in, or in the one it was given.
 */
export async function interpret(
  manager: Manager,
  program: readonly Step[],
  servers: Servers,
): Promise<Outcome> {
  const outcome: Outcome = { observations: 0, wrong: [] };

  const observe = (expected: Context, where: string): void => {
    outcome.observations += 1;
    const seen = manager.active();
    if (seen === expected) return;
    outcome.wrong.push(`${where}: saw ${nameOf(seen)} and not ${nameOf(expected)}`);
  };

  const run = async (steps: readonly Step[], expected: Context, path: string): Promise<void> => {
    for (const [index, step] of steps.entries()) {
      const where = `${path}/${index} ${step.kind}`;
      await one(step, expected, where);
      observe(expected, `${where}, afterwards`);
    }
  };

  const one = async (step: Step, expected: Context, where: string): Promise<void> => {
    observe(expected, where);
    if (step.kind === 'observe') return;
    if (step.kind === 'await') {
      await AWAITABLES[step.source]?.(servers);
      return observe(expected, `${where} ${step.source}`);
    }
    if (step.kind === 'parallel') {
      await Promise.all(
        step.branches.map((branch, number) => run(branch, expected, `${where}.${number}`)),
      );
      return;
    }
    if (step.kind === 'callback') {
      return new Promise<void>((resolve, reject) => {
        CALLBACKS[step.source]?.(() => {
          observe(expected, `${where} ${step.source}`);
          run(step.steps, expected, where).then(resolve, reject);
        }, servers);
      });
    }
    if (step.kind === 'outside') {
      servers.outside.runInAsyncScope(() => observe(ROOT_CONTEXT, `${where}, there`));
      return;
    }
    if (step.kind === 'cancel') {
      clearTimeout(setTimeout(() => observe(expected, where), 1000));
      clearImmediate(setImmediate(() => observe(expected, where)));
      return;
    }
    const context = ROOT_CONTEXT.setValue(KEY, step.name);
    if (step.kind === 'throw' || step.kind === 'reject')
      return fail(step.kind, context, expected, where);
    return inside(step, context, expected, where);
  };

  const fail = async (
    kind: 'throw' | 'reject',
    context: Context,
    expected: Context,
    where: string,
  ): Promise<void> => {
    try {
      await manager.with(context, () => {
        observe(context, where);
        if (kind === 'throw') throw new Error('planted');
        return Promise.reject(new Error('planted'));
      });
    } catch {
      observe(expected, `${where}, caught`);
    }
  };

  const inside = async (
    step: BodyStep,
    context: Context,
    expected: Context,
    where: string,
  ): Promise<void> => {
    const body = (): Promise<void> => run(step.steps, context, where);
    switch (step.kind) {
      case 'with':
        return manager.with(context, body);
      case 'sync with': {
        let pending: Promise<void> | undefined;
        manager.with(context, () => {
          manager.with(ROOT_CONTEXT, () => observe(ROOT_CONTEXT, `${where}, root`));
          observe(context, where);
          pending = body();
          observe(context, `${where}, started`);
        });
        observe(expected, `${where}, left`);
        return pending;
      }
      case 'attach': {
        // Not before an await, or the context would be the caller's, too.
        await Promise.resolve();
        const token = manager.attach?.(context);
        if (token === undefined) return run(step.steps, expected, where);
        try {
          await body();
        } finally {
          token.dispose();
          token.dispose();
        }
        return;
      }
      case 'bind': {
        const bound = manager.bind(context, body);
        // Called from elsewhere, under another context.
        const result = manager.with(ROOT_CONTEXT, () => Promise.resolve().then(() => bound()));
        return result;
      }
      case 'emitter':
        return new Promise((resolve, reject) => {
          const emitter = manager.bind(context, new EventEmitter());
          emitter.once('event', () => {
            body().then(resolve, reject);
          });
          setImmediate(() => {
            emitter.emit('event');
            observe(expected, `${where}, emitted`);
          });
        });
      default: {
        const resource = manager.with(context, () => new AsyncResource('PROBE'));
        const pending = resource.runInAsyncScope(body);
        observe(expected, `${where}, back`);
        return pending;
      }
    }
  };

  const start = ROOT_CONTEXT.setValue(KEY, 'start');
  await manager.with(start, () => run(program, start, ''));
  if (manager.active() !== ROOT_CONTEXT) outcome.wrong.push('a context is left behind');
  return outcome;
}
