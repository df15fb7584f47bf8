import { CallScope } from '../../../carry/call-scope.ts';
import { claim, ownerOf, patchMethod, undoAll, type Undo } from '../../../base/patch.ts';
import { finishing, type RunningOperation } from '../../running-operation.ts';
import type { NativeClient, NativeQuery } from './shapes.ts';
import { operationOf } from './submittable.ts';

/*
 * Queries of `pg.native`, which hear from the server by a callback that they give to pg-native.
 * `submitting` is the operation of the query that is being submitted, while that call is on the
 * stack: a query that is to be prepared executes what was prepared in that callback.
 */
const submitting = new CallScope<RunningOperation>();
const undos: Undo[] = [];
/** Whether there are native queries at all. */
let isUsed = false;

/** Patches a class of native queries, and that of the clients underneath when one is seen. */
export function patchNativeQuery(prototype: object): Undo | undefined {
  const owner = ownerOf(prototype, 'submit') as NativeQuery | undefined;
  const release = owner && claim(owner, 'pg native query');
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

/** Of a query that pg made: its callback, which may come in the middle of a pipeline's results. */
export function bindNativeQuery(query: object, operation: RunningOperation): void {
  if (!isUsed || !isNativeQuery(query)) return;
  const native = query as NativeQuery;
  if (typeof native.callback === 'function') {
    native.callback = finishing(operation, native.callback);
  }
}

/** What is known of an error before the query writes it on the error and tells the user. */
function withFields({ native }: NativeQuery, error: unknown): unknown {
  const fields = native?.pq?.resultErrorFields?.();
  return fields?.sqlState ? { code: fields.sqlState, message: fields.messagePrimary } : error;
}

function patchNativeClient(prototype: NativeClient): void {
  const release = claim(prototype, 'pg native client');
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
        // What is prepared is executed next, unless it could not be.
        if (name !== 'prepare') operation.end();
      }
    };
    return original.apply(this, [...args.slice(0, -1), inScope]);
  };
}
