import {
  reservePatch,
  patchHotMethod,
  patchMethod,
  undoAll,
  type Undo,
} from '../../../base/patch.ts';
import { PoolWait } from '../../recorder/pool-wait.ts';
import type { Recorder } from '../../recorder/recorder.ts';
import { runInRoot } from '../../../carry/root-context.ts';
import { PendingOperation } from '../../pending-operation.ts';
import { attachWork, detachWork, workOf } from '../../../carry/unit-of-work.ts';
import { followStream, isCopyStream } from './copy-source.ts';
import { describeQuery, readStatement, type Fragments } from './attributes.ts';
import { handOver, Instance, instanceOf } from './instances.ts';
import type { PostgresQuery } from './library-types.ts';

/*
 * A query is lazy and runs only once: it starts in `handle`. Its `resolve` and `reject` are
 * properties of the query itself, replaced by each step of an iterated cursor; the end can only be
 * observed there.
 */
interface Run {
  operation: PendingOperation;
  instance: Instance;
  /** The wait, until there is a connection. */
  wait: PoolWait | undefined;
  isWaiting: boolean;
  /** Whether the statement still has to be read from the client. */
  isPartial: boolean;
  /** Whether the rest of the result arrives through a stream. */
  isReading: boolean;
  /** The function of the query that was replaced. */
  resolve: PostgresQuery['resolve'] | undefined;
}

/** Patches the class of queries. */
export function patchQuery(fragments: Fragments, recorder: Recorder): Undo | undefined {
  const prototype = fragments.Query.prototype as PostgresQuery;
  const release = reservePatch(prototype, 'postgres query');
  if (!release) return undefined;
  return undoAll([
    release,
    patchHotMethod(prototype, 'handle', (original, patch) => {
      return function handle() {
        if (patch.isUndone) return original.call(this);
        const run = workOf<Run>(this);
        if (run) follow(this, run);
        // The client's own queries have no canceller.
        if (run || this.executed || !this.canceller) return original.call(this);
        start(this, fragments, recorder);
        // The socket that may be opened for this query outlives it.
        return runInRoot(original, this);
      };
    }),
    patchMethod(prototype, 'forEach', (original) => {
      return function forEach(listener) {
        return original.call(this, ofCaller(this, listener));
      };
    }),
    patchMethod(prototype, 'cursor', (original) => {
      return function cursor(...args) {
        const last = args.length - 1;
        if (typeof args[last] === 'function') args[last] = ofCaller(this, args[last]);
        return original.apply(this, args);
      };
    }),
    seeStatements(prototype),
  ]);
}

function start(query: PostgresQuery, fragments: Fragments, recorder: Recorder): void {
  const operation = new PendingOperation('POSTGRES_QUERY');
  const instance = instanceOf(query);
  let isPartial = false;
  if (recorder.isListening) {
    const statement = readStatement(query, fragments);
    operation.record(recorder, describeQuery(instance.endpoint, statement));
    isPartial = !statement.isWhole;
    if (!isPrepared(query, instance)) comment(query, statement.text, operation);
  }
  if (recorder.pools.isListening) {
    recorder.pools.watch(instance, instance.endpoint, Instance.read);
  }
  const wait = PoolWait.start(
    recorder,
    instance,
    ({ endpoint }) => endpoint,
    operation.recording && operation,
  );
  const run: Run = {
    operation,
    instance,
    wait,
    isWaiting: true,
    isPartial,
    isReading: false,
    resolve: undefined,
  };
  instance.waiting();
  if (instance.isHeard) {
    instance.begin(query, operation);
    const { handler } = query;
    query.handler = (given) => {
      query.handler = handler;
      return handOver(operation, () => handler(given));
    };
  }
  attachWork(query, run);
  follow(query, run);
}

function isPrepared({ options }: PostgresQuery, { prepares }: Instance): boolean {
  return options.simple !== true && (options.prepare ?? prepares);
}

function comment(
  query: PostgresQuery,
  text: string | undefined,
  { recording }: PendingOperation,
): void {
  const commented = text === undefined ? undefined : recording?.comment(text);
  if (text === undefined || commented === undefined || commented === text) return;
  // A new list, since the old one is the user's template.
  const { strings } = query;
  query.strings = [...strings.slice(0, -1), strings.at(-1) + commented.slice(text.length)];
}

/** Ends the operation with the query, before its caller is notified. */
function follow(query: PostgresQuery, run: Run): void {
  const { resolve, reject } = query;
  const { operation } = run;
  if (operation.ended || run.resolve === resolve) return;
  const resolved: PostgresQuery['resolve'] = (value) => {
    if (isCopyStream(value)) {
      run.isReading = value.writable !== true;
      followStream(value, operation);
      run.instance.over(query);
    } else if (!run.isReading) {
      operation.settle(undefined, value);
      over();
    }
    return resolve(value);
  };
  const rejected: PostgresQuery['reject'] = (error) => {
    served(run, error);
    operation.settle(error);
    over();
    return reject(error);
  };
  const over = (): void => {
    operation.end();
    run.instance.over(query);
    // The engine keeps the query longer than its caller does.
    if (query.resolve === resolved) query.resolve = resolve;
    if (query.reject === rejected) query.reject = reject;
    detachWork(query);
  };
  run.resolve = resolved;
  query.resolve = resolved;
  query.reject = rejected;
}

/** The wait for a connection is over. */
function served(run: Run, error?: unknown): void {
  if (!run.isWaiting) return;
  run.isWaiting = false;
  run.instance.served();
  if (error === undefined) run.wait?.end();
  else run.wait?.fail(error, false);
}

/**
 * A listener that is passed to a query runs in the context of the code that requested the result.
 */
function ofCaller(query: PostgresQuery, listener: unknown): unknown {
  if (typeof listener !== 'function') return listener;
  return function ofCaller(this: unknown, ...args: unknown[]): unknown {
    const call = listener as (...args: unknown[]) => unknown;
    const operation = workOf<Run>(query)?.operation;
    return operation ? operation.run(call, this, ...args) : call.apply(this, args);
  };
}

/**
 * A connection builds the statement when it takes a query, and stores it on the query: that marks
 * the end of the wait and gives the complete statement.
 */
function seeStatements(prototype: PostgresQuery): Undo {
  Object.defineProperty(prototype, 'string', {
    get: () => undefined,
    set(this: PostgresQuery, value: string) {
      Object.defineProperty(this, 'string', {
        value,
        writable: true,
        configurable: true,
        enumerable: true,
      });
      const run = workOf<Run>(this);
      if (!run) return;
      served(run);
      if (run.isPartial) run.operation.recording?.learn({ text: value });
    },
    configurable: true,
    enumerable: false,
  });
  return () => Reflect.deleteProperty(prototype, 'string');
}
