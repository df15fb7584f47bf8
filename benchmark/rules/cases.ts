import { EventEmitter } from 'node:events';
import { createRequire } from 'node:module';

import { OperationResource } from '../../src/instrumentation/operation-resource.ts';
import { wrap, type Rule } from '../../src/instrumentation/wrap.ts';

const require = createRequire(import.meta.url);

/** One unit of work, done `count` times; `check` says whether it really happened. */
export interface Case {
  kind: string;
  subject: string;
  /** The unit of work with the library as it is, and with the rule. */
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
  kind: string,
  subject: string,
  load: () => Library,
  rule: Rule | undefined,
  unit: (library: Library) => Unit,
): Case {
  const ruled = load();
  if (rule) wrap(ruled, rule);
  return { kind, subject, bare: unit(load()), ruled: unit(ruled) };
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
    kind: 'OperationResource',
    subject: 'new, run, end',
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
    'args',
    'a pool of callbacks',
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
    'emitter',
    'node:events on, emit, off',
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
    'task',
    'fastq push',
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
    'handler',
    'a dispatch with three callbacks',
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
    'home',
    'a factory',
    () => ({ create: (): object => ({}) }),
    { kind: 'home', method: 'create' },
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
    'latest',
    'lodash debounce, call and flush',
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
    'iterator',
    'a generator of one value',
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
    'config',
    'bluebird then, asyncHooks on',
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
          const all: Promise<void>[] = [];
          for (let index = 0; index < count; index++) {
            all.push(Bluebird.resolve().then(() => void done++));
          }
          await Bluebird.all(all);
        },
        done: () => done,
      };
    },
  );

export const cases: readonly (() => Case)[] = [
  operationResource,
  args,
  emitter,
  task,
  handler,
  home,
  latest,
  iterator,
  config,
];
