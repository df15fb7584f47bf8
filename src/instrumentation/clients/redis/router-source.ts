import { reservePatch, ownerOf, patchMethod, undoAll, type Undo } from '../../../base/patch.ts';
import type { Recorder } from '../../recorder/recorder.ts';
import { isSettingUp, setUp } from '../../redis/setup.ts';
import { PendingOperation } from '../../pending-operation.ts';
import { connecting, patchEvents } from './events-source.ts';
import { handOnLater, isHandedOn, settlingOperation } from './call-scopes.ts';
import type { ClassOf, Method, Router } from './library-types.ts';

/*
 * Clusters and sentinels. A call is one operation, to however many clients and however often it is
 * sent: everything they send during it, including a cluster's own queries, is part of it.
 */

/** The methods through which all calls pass. */
const EXECUTING = ['_executeWithPolicies', '_execute'];
/** The methods that lead to it where it is private: in version 4 and early version 5. */
const SENDING = ['sendCommand', 'executeScript', 'executeFunction'];

/** Patches a class of clusters or sentinels. `sample` is an instance that will never connect. */
export function patchRouter(
  { prototype, create }: ClassOf<Router> & { create?(this: void, options: object): Router },
  recorder: Recorder,
  sample?: Router,
): Undo | undefined {
  const release = reservePatch(prototype, 'redis router');
  if (!release) return undefined;
  const methods = prototype as unknown as Record<string, Method>;
  const isPrivate = !Object.hasOwn(prototype, '_execute');
  let isActive = true;
  const routed = (original: Method): Method => {
    return function routedCall(this: unknown, ...args) {
      const send = (): unknown => original.apply(this, args);
      if (!isActive || !recorder.isListening || isHandedOn() || isSettingUp()) return send();
      const operation = new PendingOperation('REDIS_COMMAND');
      const call = { operation, command: commandIn(args[0]), askedAt: performance.now() };
      return settlingOperation(operation, () => handOnLater(call, send));
    };
  };
  return undoAll([
    release,
    () => void (isActive = false),
    patchEvents(prototype),
    patchMethod(methods, 'connect', (original) => {
      return function connect(this: unknown, ...args) {
        if (isPrivate) patchGenerated(this, prototype, routed);
        return connecting(this as object, () => setUp(original, this, ...args));
      };
    }),
    ...(isPrivate ? SENDING : EXECUTING).map((name) => patchMethod(methods, name, routed)),
    isPrivate ? patchBatches(sample ?? create?.({ rootNodes: [] }), routed) : undefined,
  ]);
}

/** The whole command of a call that may be sent in parts. */
function commandIn(parser: unknown): readonly unknown[] | undefined {
  const { redisArgs } = (parser ?? {}) as { redisArgs?: unknown };
  return Array.isArray(redisArgs) && redisArgs.length > 0 ? redisArgs : undefined;
}

/**
 * Patches the commands of a cluster's own class, which version 5 generates for each configuration.
 * They are collected with the cluster; after the undo they only call the original.
 */
function patchGenerated(router: unknown, base: object, routed: (original: Method) => Method): void {
  const generated = ownerOf(router, 'GET') as Record<string, Method> | undefined;
  if (!generated || generated === base || !reservePatch(generated, 'redis router')) return;
  for (const name of Object.keys(generated)) {
    if (name !== 'Multi') patchMethod(generated, name, routed);
  }
}

/** Patches the batches of version 4, which are redirected as commands are. */
function patchBatches(
  sample: Router | undefined,
  routed: (original: Method) => Method,
): Undo | undefined {
  const prototype = ownerOf(sample?.multi(), 'commandsExecutor') as
    Record<string, Method> | undefined;
  const release = prototype && reservePatch(prototype, 'redis router batch');
  if (!release) return undefined;
  return undoAll([
    release,
    patchMethod(prototype, 'exec', routed),
    patchMethod(prototype, 'execAsPipeline', routed),
  ]);
}
