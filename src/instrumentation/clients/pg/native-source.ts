import { CallScope } from '../../../carry/call-scope.ts';
import { reservePatch, ownerOf, patchMethod, undoAll, type Undo } from '../../../base/patch.ts';
import { finishing, type PendingOperation } from '../../pending-operation.ts';
import type { NativeClient, NativeQuery } from './library-types.ts';
import { operationOf } from './submittable.ts';

/*
 * Queries of `pg.native`, which get results through a callback that they pass to pg-native.
 * `submitting` is the operation of the query being submitted, while that call is on the stack: a
 * query that has to be prepared first is executed in that callback.
 */
const submitting = new CallScope<PendingOperation>();
const undos: Undo[] = [];
/** Whether native queries are available. */
let isUsed = false;

/**
 * Patches a class of native queries, and that of the underlying clients when the first one is used.
 */
export function patchNativeQuery(prototype: object): Undo | undefined {
  const owner = ownerOf(prototype, 'submit') as NativeQuery | undefined;
  const release = owner && reservePatch(owner, 'pg native query');
  if (!release) return undefined;
  isUsed = true;
  return undoAll([
    release,
    () => {
      for (const undo of undos.splice(0)) undo();
    },
    patchMethod(owner, 'submit', (original) => {
      return function submit(client) {
        const operation = operationOf(this);
        if (!operation) return original.call(this, client);
        const { native } = client;
        if (native) patchNativeClient(Object.getPrototypeOf(native) as NativeClient);
        const call = (): unknown => submitting.run(operation, () => original.call(this, client));
        return operation.run(call, undefined);
      };
    }),
    patchMethod(owner, 'emit', (original) => {
      return function emit(event, ...args) {
        const operation = event === 'end' ? operationOf(this) : undefined;
        operation?.settle(undefined, args[0]);
        return original.call(this, event, ...args);
      };
    }),
    patchMethod(owner, 'handleError', (original) => {
      return function handleError(error) {
        const operation = operationOf(this);
        if (!operation) return original.call(this, error);
        operation.settle(withFields(this, error));
        try {
          return operation.run(original, this, error);
        } finally {
          operation.end();
        }
      };
    }),
  ]);
}

export function isNativeQuery(prototype: object | undefined): boolean {
  return ownerOf(prototype, '_getPromise') !== undefined;
}

/** The callback of a query that pg made, which may run in the middle of a pipeline's results. */
export function bindNativeQuery(query: object, operation: PendingOperation): void {
  if (!isUsed || !isNativeQuery(query)) return;
  const native = query as NativeQuery;
  if (typeof native.callback === 'function') {
    native.callback = finishing(operation, native.callback);
  }
}

/** The details of an error, before the query writes them to the error and passes it to the user. */
function withFields({ native }: NativeQuery, error: unknown): unknown {
  const fields = native?.pq?.resultErrorFields?.();
  return fields?.sqlState ? { code: fields.sqlState, message: fields.messagePrimary } : error;
}

function patchNativeClient(prototype: NativeClient): void {
  const release = reservePatch(prototype, 'pg native client');
  if (!release) return;
  undos.push(
    release,
    ...(['query', 'prepare', 'execute'] as const).flatMap(
      (name) => patchMethod(prototype, name, (original) => calledInScope(original, name)) ?? [],
    ),
  );
}

function calledInScope(original: NativeClient['query'], name: string): NativeClient['query'] {
  return function call(this: NativeClient, ...args) {
    const operation = submitting.current;
    const callback = args.at(-1);
    if (!operation || typeof callback !== 'function') return original.apply(this, args);
    const inScope = (...results: unknown[]): unknown => {
      const told = (): unknown => Reflect.apply(callback, undefined, results) as unknown;
      try {
        return operation.run(() => submitting.run(operation, told), undefined);
      } finally {
        // The prepared statement is executed next, unless preparing failed.
        if (name !== 'prepare') operation.end();
      }
    };
    return original.apply(this, [...args.slice(0, -1), inScope]);
  };
}
