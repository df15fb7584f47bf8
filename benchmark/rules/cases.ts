import { EventEmitter } from 'node:events';
import { createRequire } from 'node:module';

import { OperationResource } from '../../src/carry/operation-resource.ts';
import { wrap, type Rule } from '../../src/instrumentation/wrap.ts';

const require = createRequire(import.meta.url);

/** A unit of work with the library as it is, and with the rule. */
export interface Case {
  bare: Unit;
  ruled: Unit;
}

export interface Unit {
  run(count: number): Promise<void> | void;
  /** How many units ended, so that a variant that does nothing is found out. */
  done(): number;
}

/** The same unit over a library as it is and over one that a rule was applied to. */
function compare<Library extends object>(
  load: () => Library,
  rule: Rule | undefined,
  unit: (library: Library) => Unit,
): Case {
  const ruled = load();
  if (rule) wrap(ruled, rule);
  return { bare: unit(load()), ruled: unit(ruled) };
}

/** A pool of callbacks: what `args` is for, without the cost of a real connection. */
class Pool {
  #waiting: ((value: number) => void)[] = [];

  acquire(callback: (value: number) => void): void {
    this.#waiting.push(callback);
  }

  release(): void {
    this.#waiting.pop()?.(1);
  }
}

function operationResource(): Case {
  let ended = 0;
  const work = (): void => void ended++;
  const unit = (run: (count: number) => void): Unit => ({ run, done: () => ended });
  return {
    bare: unit((count) => {
      for (let index = 0; index < count; index++) work();
    }),
    ruled: unit((count) => {
      for (let index = 0; index < count; index++) {
        const operation = new OperationResource('DBQuery', { description: 'SELECT 1' });
        operation.run(work, undefined);
        operation.end();
      }
    }),
  };
}

const args = (): Case =>
  compare(
    () => new Pool(),
    { kind: 'args', method: 'acquire' },
    (pool) => {
      let done = 0;
      const callback = (value: number): void => void (done += value);
      return {
        run(count) {
          for (let index = 0; index < count; index++) {
            pool.acquire(callback);
            pool.release();
          }
        },
        done: () => done,
      };
    },
  );

const emitter = (): Case =>
  compare(
    () => new EventEmitter(),
    { kind: 'emitter' },
    (bus) => {
      let done = 0;
      const listener = (): void => void done++;
      return {
        run(count) {
          for (let index = 0; index < count; index++) {
            bus.on('event', listener);
            bus.emit('event', 1);
            bus.off('event', listener);
          }
        },
        done: () => done,
      };
    },
  );

const task = (): Case =>
  compare(
    () => ({ fastq: require('fastq') as Fastq }),
    { kind: 'task', on: 'fastq()', method: 'push', worker: 0 },
    ({ fastq }) => {
      let done = 0;
      let finish: (() => void) | undefined;
      const tasks = fastq((_item, callback) => (finish = callback), 1);
      const callback = (): void => void done++;
      const item = { id: 1 };
      return {
        // Each item waits for the one before it.
        run(count) {
          tasks.push(item, callback);
          for (let index = 1; index < count; index++) {
            tasks.push(item, callback);
            finish?.();
          }
          finish?.();
        },
        done: () => done,
      };
    },
  );

type Fastq = (
  worker: (item: object, callback: () => void) => void,
  concurrency: number,
) => { push(item: object, callback: () => void): void };

const handler = (): Case =>
  compare(
    () => ({
      dispatch(handler: Record<'onHeaders' | 'onData' | 'onComplete', () => void>): void {
        queue.push(handler);
      },
    }),
    { kind: 'handler', method: 'dispatch' },
    (client) => {
      let done = 0;
      const callbacks = {
        onHeaders: (): void => undefined,
        onData: (): void => undefined,
        onComplete: (): void => void done++,
      };
      return {
        run(count) {
          for (let index = 0; index < count; index++) {
            client.dispatch(callbacks);
            const handler = queue.pop()!;
            handler.onHeaders();
            handler.onData();
            handler.onComplete();
          }
        },
        done: () => done,
      };
    },
  );
const queue: Record<'onHeaders' | 'onData' | 'onComplete', () => void>[] = [];

const home = (): Case =>
  compare(
    () => ({ create: (): object => ({}) }),
    { kind: 'root', method: 'create' },
    (pool) => {
      let done = 0;
      return {
        run(count) {
          for (let index = 0; index < count; index++) if (pool.create()) done++;
        },
        done: () => done,
      };
    },
  );

const latest = (): Case =>
  compare(
    () => ({ debounce: require('lodash').debounce as Debounce }),
    { kind: 'latest', on: 'debounce' },
    ({ debounce }) => {
      let done = 0;
      const save = debounce(() => void done++, 1000);
      return {
        run(count) {
          for (let index = 0; index < count; index++) {
            save();
            save.flush();
          }
        },
        done: () => done,
      };
    },
  );

type Debounce = (fn: () => void, wait: number) => (() => void) & { flush(): void };

const iterator = (): Case =>
  compare(
    () => ({
      *rows(): Generator<number> {
        yield 1;
      },
    }),
    { kind: 'iterator', method: 'rows' },
    (client) => {
      let done = 0;
      return {
        run(count) {
          for (let index = 0; index < count; index++) for (const row of client.rows()) done += row;
        },
        done: () => done,
      };
    },
  );

/** Bluebird keeps its switch per copy of the library, so each variant has a copy. */
const config = (): Case =>
  compare(
    () => require('bluebird').getNewLibraryCopy() as object,
    {
      kind: 'config',
      method: 'config',
      arguments: [{ asyncHooks: true }],
      undoArguments: [{ asyncHooks: false }],
    },
    (library) => {
      let done = 0;
      const Bluebird = library as PromiseConstructor;
      return {
        async run(count) {
          // Some at a time, as the memory of many is another matter.
          for (let left = count; left > 0; left -= 100) {
            const all: Promise<void>[] = [];
            for (let index = 0; index < Math.min(100, left); index++) {
              all.push(Bluebird.resolve().then(() => void done++));
            }
            await Bluebird.all(all);
          }
        },
        done: () => done,
      };
    },
  );

export const cases: readonly { name: string; make: () => Case }[] = [
  { name: 'OperationResource: new, run, end', make: operationResource },
  { name: 'args: a pool of callbacks', make: args },
  { name: 'emitter: node:events on, emit, off', make: emitter },
  { name: 'task: fastq push', make: task },
  { name: 'handler: a dispatch with three callbacks', make: handler },
  { name: 'home: a factory', make: home },
  { name: 'latest: lodash debounce, call and flush', make: latest },
  { name: 'iterator: a generator of one value', make: iterator },
  { name: 'config: bluebird then, asyncHooks on', make: config },
];
