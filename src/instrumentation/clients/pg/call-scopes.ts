import { CallScope } from '../../../carry/call-scope.ts';
import type { OperationResource } from '../../../carry/operation-resource.ts';
import type { PoolWait } from '../../recorder/pool-wait.ts';
import type { QueryOperation } from './query-operation.ts';
import type { PgClient } from './library-types.ts';

/*
 * Values that are set while a call is on the stack. `pool.query` calls `pool.connect`, which makes
 * a client or queues an item that waits for one; the callback of that calls `client.query`, which
 * queues a query.
 */

/** A `query` of a pool until it asks for a client. */
export const poolQuery: CallScope<PoolQuery> = new CallScope();

export interface PoolQuery {
  readonly operation: QueryOperation;
  /** Whether it is recorded, or will be as soon as the pool has a client. */
  readonly isSeen: boolean;
}

/** A `connect` of a pool until the pool has an item for the wait. */
export const connecting: CallScope<Connect> = new CallScope();

export interface Connect {
  /** The caller, if there is a listener for its events. */
  readonly caller: OperationResource | undefined;
  /** The measurement of its duration, if enabled; cleared once an item has it. */
  wait: PoolWait | undefined;
}

/** A `query` of a client until the query is queued. */
export const calling: CallScope<Call> = new CallScope();

export interface Call {
  /** Undefined while a pool is about to call `query` itself. */
  client: PgClient | undefined;
  /** The caller's argument to be executed. */
  given: unknown;
  /** The pool's operation that this query belongs to. */
  readonly operation: QueryOperation | undefined;
  isQueued: boolean;
  /** The operation of the query once it is queued. */
  running: QueryOperation | undefined;
}

/** Starts a call whose query will belong to `operation`, if there is one already. */
export function newCall(operation: QueryOperation | undefined): Call {
  return { client: undefined, given: undefined, operation, isQueued: false, running: undefined };
}

/** The listener of a pool for errors of its idle clients, outside of every request. */
export const idleListener: CallScope<unknown> = new CallScope();
