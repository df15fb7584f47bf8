import type { FrameworkDefinition } from '../framework.ts';
import { activeServerRequest } from '../../http/server/server-request.ts';
import type { ModuleExports } from '../../module-hooks.ts';
import { reservePatch, patchMethod, undoAll, type Undo } from '../../../base/patch.ts';
import { followExecutions, publishesExecutions } from './channels.ts';
import { recordErrors, showOperation, type ExecutionArgs } from './operation.ts';

/** The executor that `graphql-yoga` has, as it is imported and required. */
const EXECUTORS = ['esm', 'cjs'].map(
  (kind) => `@graphql-tools/executor/${kind}/execution/normalizedExecutor`,
);

/** GraphQL over HTTP, whichever server executes it: the name and the type of the operation. */
export const graphql: FrameworkDefinition = {
  name: 'graphql',
  modules: [
    {
      module: 'graphql/execution/execute',
      versions: '>=15 <18',
      patch: (exports: ModuleExports) =>
        publishesExecutions(exports) ? () => undefined : patchExecutor(exports, 'execute'),
    },
    ...EXECUTORS.map((module) => ({
      module,
      versions: '>=1 <3',
      patch: (exports: ModuleExports) => patchExecutor(exports, 'normalizedExecutor'),
    })),
  ],
  follow: followExecutions,
};

type Execute = (...args: unknown[]) => unknown;

function patchExecutor(exports: ModuleExports, name: string): Undo | undefined {
  const functions = exports as Record<string, Execute>;
  const execute = functions?.[name];
  if (typeof execute !== 'function') return undefined;
  const release = reservePatch(functions, name);
  if (!release) return undefined;
  const undo = patchMethod(functions, name, watch) ?? replaceBinding(functions, name, watch);
  return undoAll([release, undo]);
}

/** What `import` gives of an ES module can be assigned to, and not be defined anew. */
function replaceBinding(
  namespace: Record<string, Execute>,
  name: string,
  wrap: (original: Execute) => Execute,
): Undo | undefined {
  const original = namespace[name] as Execute;
  try {
    namespace[name] = wrap(original);
  } catch {
    return undefined;
  }
  return () => {
    namespace[name] = original;
  };
}

function watch(original: Execute): Execute {
  return function (this: unknown, ...args) {
    const request = activeServerRequest();
    if (request === undefined) return original.apply(this, args);
    // Old versions take the arguments one by one.
    const isOne = typeof args[0] === 'object' && args[0] !== null && 'document' in args[0];
    const given = isOne
      ? (args[0] as ExecutionArgs)
      : ({ document: args[1], operationName: args[5] } as ExecutionArgs);
    showOperation(request, given);
    const result = original.apply(this, args);
    if (!(result instanceof Promise)) {
      recordErrors(request, result);
      return result;
    }
    return result.then((value: unknown) => {
      recordErrors(request, value);
      return value;
    });
  };
}
