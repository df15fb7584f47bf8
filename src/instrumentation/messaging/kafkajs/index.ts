import { bindListener } from '../../bind-listener.ts';
import type { ModuleExports } from '../../module-hooks.ts';
import { reservePatch, patchMethod, undoAll, type Undo } from '../../../base/patch.ts';
import { runInRoot } from '../../../carry/root-context.ts';
import type { MessagingDefinition } from '../messaging-definition.ts';
import type { MessagingRecorder } from '../messaging-recorder.ts';
import { watchConsumer } from './consumer-source.ts';
import { watchProducer } from './producer-source.ts';
import type { Client, Connection, Kafka } from './library-types.ts';

const VERSIONS = '>=2.0.0 <3';

/** Kafka by kafkajs: producers with their transactions, consumers by message and by batch. */
export const kafkajs: MessagingDefinition = {
  name: 'kafkajs',
  inPlaceOfRules: ['kafkajs'],
  modules: [
    { module: 'kafkajs', versions: VERSIONS, patch: patchPackage },
    { module: 'kafkajs/src/network/connection', versions: VERSIONS, patch: patchConnection },
  ],
};

function patchPackage(exports: ModuleExports, recorder: MessagingRecorder): Undo | undefined {
  const whole = (exports?.default ?? exports) as { Kafka?: { prototype?: Kafka } } | undefined;
  const prototype = whole?.Kafka?.prototype;
  if (typeof prototype?.producer !== 'function') return undefined;
  const release = reservePatch(prototype, 'kafkajs');
  if (!release) return undefined;
  // A producer or a consumer outlives the undo, with what was replaced in it.
  const patch = { isUndone: false };
  return undoAll([
    release,
    () => void (patch.isUndone = true),
    patchMethod(prototype, 'producer', (original) => {
      return function producer(this: Kafka, ...args) {
        const made = original.apply(this, args);
        watchProducer(made, recorder, patch);
        bindEvents(made);
        return made;
      };
    }),
    patchMethod(prototype, 'consumer', (original) => {
      return function consumer(this: Kafka, config) {
        const made = original.call(this, config);
        const groupId = config?.groupId;
        watchConsumer(made, typeof groupId === 'string' ? groupId : undefined, recorder, patch);
        bindEvents(made);
        return made;
      };
    }),
    patchMethod(prototype, 'admin', (original) => {
      return function admin(this: Kafka, ...args) {
        const made = original.apply(this, args);
        bindEvents(made);
        return made;
      };
    }),
  ]);
}

/** What a client tells of its own accord belongs to the caller that listens. */
function bindEvents(client: Client): void {
  patchMethod(client, 'on', (original) => {
    return function on(this: Client, event, listener): unknown {
      const isFunction = typeof listener === 'function';
      return original.call(this, event, isFunction ? bindListener('LISTENER', listener) : listener);
    };
  });
}

/** Connections are shared: the first request that needs one is not to be held by it. */
function patchConnection(exports: ModuleExports): Undo | undefined {
  const prototype = (exports as { prototype?: Connection } | undefined)?.prototype;
  if (typeof prototype?.sendAuthRequest !== 'function') return undefined;
  const release = reservePatch(prototype, 'kafkajs connection');
  if (!release) return undefined;
  return undoAll([
    release,
    patchMethod(prototype, 'connect', (original) => {
      return function connect(this: Connection, ...args): unknown {
        return runInRoot(original, this, ...args);
      };
    }),
  ]);
}
