import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { setImmediate as immediate } from 'node:timers/promises';

import { createContextKey, ROOT_CONTEXT, type Context } from '@opentelemetry/api';

import { NODE_LINES } from '../../test/support/other-nodes.ts';
import { HTTP_SERVER } from '../context/http-server.ts';
import { cpuSince } from '../harness/cpu.ts';
import type { BenchmarkCase, BenchmarkGroup, Prepared } from '../harness/group.ts';
import { makeManager, MANAGERS, type AttachingManager } from '../harness/managers.ts';

const KEY = createContextKey('benchmark');
/** Made beforehand: what a context costs to make is the same for every manager. */
const CONTEXTS: readonly Context[] = Array.from({ length: 64 }, (_, index) =>
  ROOT_CONTEXT.setValue(KEY, index),
);
const contextAt = (index: number): Context => CONTEXTS[index % 64] as Context;

/** Written by every loop, so that no compiler leaves it out. */
const sink: { value: unknown } = { value: undefined };

/** A case whose loop runs where applications run: in a callback, under a context. */
function sync(
  name: string,
  prepare: (manager: AttachingManager) => (count: number) => void,
  variants?: readonly string[],
): BenchmarkCase {
  return {
    name,
    ...(variants && { variants }),
    prepare: (variant) => {
      const manager = makeManager(variant);
      const loop = prepare(manager);
      return {
        preflight: () => assertCarries(manager, variant),
        run: async (count) => {
          let cost = 0;
          await manager.with(contextAt(0), async () => {
            await immediate();
            const before = process.cpuUsage();
            loop(count);
            cost = cpuSince(before);
          });
          return cost;
        },
      };
    },
  };
}

/** A case of asynchronous work under a context. */
function async(
  name: string,
  work: (count: number) => Promise<unknown>,
  variants?: readonly string[],
): BenchmarkCase {
  return {
    name,
    ...(variants && { variants }),
    prepare: (variant): Prepared => {
      const manager = makeManager(variant);
      return {
        preflight: () => assertCarries(manager, variant),
        run: async (count) => {
          sink.value = await manager.with(contextAt(1), () => work(count));
        },
      };
    },
  };
}

async function assertCarries(manager: AttachingManager, variant: string): Promise<void> {
  const context = contextAt(7);
  const seen = await manager.with(context, async () => {
    await immediate();
    return manager.active();
  });
  assert.equal(seen, variant === 'none' ? ROOT_CONTEXT : context);
  sink.value = seen;
}

async function nested(depth: number): Promise<number> {
  if (depth === 0) return 0;
  return 1 + (await nested(depth - 1));
}

function listener(): void {
  sink.value = undefined;
}

export const group: BenchmarkGroup = {
  description:
    'the context managers of none, this package and OpenTelemetry, one operation each, and an HTTP server with a context per request',
  mark: 'bench-context',
  variants: MANAGERS,
  baseline: 'otel-als',
  ours: ['clew'],
  peers: ['otel-als', 'otel-als-3'],
  nodes: NODE_LINES,
  quick: {
    cases: ['HTTP server', 'await chain', 'with', 'active', 'bind a function'],
    variants: ['none', 'clew', 'otel-als-3'],
    // The lines without and with a context frame of V8's own.
    nodes: ['20', '24'],
  },
  render: 'context',
  cases: [
    HTTP_SERVER,
    async('await chain', async (count) => {
      let sum = 0;
      for (let index = 0; index < count; index += 1) sum += await Promise.resolve(index);
      return sum;
    }),
    async('nested async, 10 deep', async (count) => {
      for (let index = 0; index < count; index += 1) await nested(10);
    }),
    async('Promise.all of 10', async (count) => {
      for (let index = 0; index < count; index += 1) {
        await Promise.all(Array.from({ length: 10 }, async (_, item) => item));
      }
    }),
    async(
      'timers',
      async (count) => {
        for (let index = 0; index < count; index += 100) {
          await Promise.all(Array.from({ length: 100 }, () => immediate()));
        }
      },
      [...MANAGERS, 'clew-add-on'],
    ),
    sync('with', (manager) => {
      const fn = (): number => 1;
      return (count) => {
        let sum = 0;
        for (let index = 0; index < count; index += 1) sum += manager.with(contextAt(index), fn);
        sink.value = sum;
      };
    }),
    sync('with, 3 nested', (manager) => {
      const inner = (): number => 1;
      const middle = (): number => manager.with(contextAt(3), inner);
      const outer = (): number => manager.with(contextAt(2), middle);
      return (count) => {
        let sum = 0;
        for (let index = 0; index < count; index += 1) sum += manager.with(contextAt(index), outer);
        sink.value = sum;
      };
    }),
    sync('with, a receiver and two arguments', (manager) => {
      const fn = function (this: unknown, a: number, b: number): number {
        return a + b;
      };
      const receiver = {};
      return (count) => {
        let sum = 0;
        for (let index = 0; index < count; index += 1) {
          sum += manager.with(contextAt(index), fn, receiver, index, 1);
        }
        sink.value = sum;
      };
    }),
    sync('active', (manager) => (count) => {
      let equal = 0;
      for (let index = 0; index < count; index += 1) {
        if (manager.active() === contextAt(index)) equal += 1;
      }
      sink.value = equal;
    }),
    sync('bind a function', (manager) => {
      const target = function onData(chunk: unknown): unknown {
        return chunk;
      };
      return (count) => {
        for (let index = 0; index < count; index += 1)
          sink.value = manager.bind(contextAt(index), target);
      };
    }),
    sync('call a bound function', (manager) => {
      const bound = manager.bind(contextAt(5), function onData(chunk: number): number {
        return chunk;
      });
      return (count) => {
        let sum = 0;
        for (let index = 0; index < count; index += 1) sum += bound(index);
        sink.value = sum;
      };
    }),
    sync('bind an emitter', (manager) => (count) => {
      for (let index = 0; index < count; index += 1) {
        sink.value = manager.bind(contextAt(index), new EventEmitter());
      }
    }),
    sync('bound emitter: add and remove a listener', (manager) => {
      const emitter = manager.bind(contextAt(5), new EventEmitter());
      emitter.on('data', () => undefined);
      return (count) => {
        for (let index = 0; index < count; index += 1) {
          emitter.on('data', listener);
          emitter.removeListener('data', listener);
        }
      };
    }),
    sync('bound emitter: emit', (manager) => {
      const emitter = manager.bind(contextAt(5), new EventEmitter());
      emitter.on('data', listener);
      return (count) => {
        for (let index = 0; index < count; index += 1) emitter.emit('data', index);
      };
    }),
    sync(
      'attach and dispose',
      (manager) => (count) => {
        for (let index = 0; index < count; index += 1) {
          manager.attach?.(contextAt(index)).dispose();
        }
      },
      MANAGERS.filter((variant) => variant !== 'none' && variant !== 'otel-hooks'),
    ),
  ],
};
