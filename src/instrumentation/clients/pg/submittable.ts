import { attachWork, detachWork, workOf } from '../../../carry/unit-of-work.ts';
import {
  reservePatch,
  ownerOf,
  patchHotMethod,
  undoAll,
  type PatchState,
  type Undo,
} from '../../../base/patch.ts';
import type { QueryOperation } from './query-operation.ts';
import type { Submittable } from './library-types.ts';

/*
 * Connects the objects that a client executes with their calls: the operation is attached when a
 * query is queued and read by the patches below, which are on the protocol shared by queries,
 * cursors and streams.
 */

/**
 * Makes all messages from the server to pg's own `query` be handled in the scope of `operation`.
 */
export function attachOwn(query: Submittable, operation: QueryOperation): void {
  attachWork(query, operation);
}

/** The same for a query, cursor or stream that the user made. */
export function attachUsers(submittable: Submittable, operation: QueryOperation): void {
  operation.isOfUsers = true;
  attachWork(submittable, operation);
  if (typeof submittable.cursor?.submit === 'function') attachWork(submittable.cursor, operation);
}

export function operationOf(submittable: object): QueryOperation | undefined {
  return workOf(submittable);
}

/** Messages that may call user code without being the last: parsers of values, listeners. */
const MESSAGES = [
  'submit',
  'handleRowDescription',
  'handleDataRow',
  'handlePortalSuspended',
  'handleCopyInResponse',
  'handleCopyData',
] as const;
/**
 * Messages that do so only for objects of the user: those for pg's own queries reach no other code.
 */
const BETWEEN = ['handleCommandComplete', 'handleEmptyQuery'] as const;

type Method = (this: Handlers, ...args: unknown[]) => unknown;
type Handlers = Submittable & Record<string, Method>;
type Wrap = (original: Method, patch: PatchState) => Method;

/** Patches the class that `prototype` belongs to. */
export function patchSubmittable(prototype: object | undefined): Undo | undefined {
  if (prototype === undefined) return undefined;
  const last = ownerOf(prototype, 'handleReadyForQuery');
  if (last === undefined) return undefined;
  const release = reservePatch(last, 'pg submittable');
  if (release === undefined) return undefined;
  const patch = (key: string, wrap: Wrap): Undo | undefined => {
    const owner = ownerOf(prototype, key) as Handlers | undefined;
    return owner && patchHotMethod(owner, key, wrap);
  };
  return undoAll([
    release,
    ...MESSAGES.map((message) => patch(message, inScope)),
    ...BETWEEN.map((message) => patch(message, inScopeOfUsers)),
    patch('handleError', failing),
    patch('handleReadyForQuery', ending),
  ]);
}

/*
 * Classes of submittables from unknown packages, patched when they first occur. `known` reduces the
 * check of each query to one look-up.
 */
let known = new WeakSet<object>();
const undos: Undo[] = [];

export function sawSubmittable(prototype: object): void {
  if (known.has(prototype)) return;
  known.add(prototype);
  const undo = patchSubmittable(prototype);
  if (undo) undos.push(undo);
}

/** Undoes the patches of all these classes. */
export function undoSubmittables(): void {
  known = new WeakSet();
  for (const undo of undos.splice(0)) undo();
}

function inScope(original: Method, patch: PatchState): Method {
  return function message(...args) {
    const operation = patch.isUndone ? undefined : operationOf(this);
    return operation ? operation.run(original, this, ...args) : original.apply(this, args);
  };
}

function inScopeOfUsers(original: Method, patch: PatchState): Method {
  return function message(...args) {
    const operation = patch.isUndone ? undefined : operationOf(this);
    return operation?.isOfUsers === true
      ? operation.run(original, this, ...args)
      : original.apply(this, args);
  };
}

function failing(original: Method, patch: PatchState): Method {
  return function handleError(...args) {
    const operation = patch.isUndone ? undefined : operationOf(this);
    if (operation === undefined) return original.apply(this, args);
    operation.settle(args[0]);
    try {
      return operation.run(original, this, ...args);
    } finally {
      operation.end();
    }
  };
}

function ending(original: Method, patch: PatchState): Method {
  return function handleReadyForQuery(...args) {
    const operation = patch.isUndone ? undefined : operationOf(this);
    if (operation === undefined) return original.apply(this, args);
    operation.settle(this._canceledDueToError || undefined, this._results);
    try {
      return operation.run(original, this, ...args);
    } finally {
      operation.end();
      // It was the last message, and the engine keeps the query longer than its caller does.
      if (!operation.isOfUsers) detachWork(this);
    }
  };
}
