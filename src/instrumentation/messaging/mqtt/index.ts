import type { ModuleExports } from '../../module-hooks.ts';
import { reservePatch, patchMethod, undoAll, type Undo } from '../../../base/patch.ts';
import { runInRoot } from '../../../carry/root-context.ts';
import { bindCallback } from '../../pending-operation.ts';
import type { MessagingDefinition } from '../messaging-definition.ts';
import type { MessagingRecorder } from '../messaging-recorder.ts';
import { patchMessages } from './consumer-source.ts';
import { endForgotten, isWaiting, patchPublish } from './producer-source.ts';
import type { MqttClient } from './library-types.ts';

/** MQTT by mqtt.js, over versions 3.1 to 5 of the protocol. */
export const mqtt: MessagingDefinition = {
  name: 'mqtt',
  inPlaceOfRules: ['mqtt'],
  modules: [{ module: 'mqtt', versions: '>=4.0.0 <6', patch: patchPackage }],
};

function patchPackage(exports: ModuleExports, recorder: MessagingRecorder): Undo | undefined {
  const found = [exports, exports?.default];
  const prototype = found
    .map((each) => (each?.MqttClient as { prototype?: MqttClient } | undefined)?.prototype)
    .find((each) => typeof each?.publish === 'function');
  if (!prototype) return undefined;
  const release = reservePatch(prototype, 'mqtt');
  if (!release) return undefined;
  const inRoot = (method: 'connect' | '_setupStream'): Undo | undefined =>
    patchMethod(prototype, method, (original) => {
      return function open(this: MqttClient, ...args: unknown[]): unknown {
        return runInRoot(original, this, ...args);
      };
    });
  const calledBack = (method: 'subscribe' | 'unsubscribe'): Undo | undefined =>
    patchMethod(prototype, method, (original) => {
      return function call(this: MqttClient, ...args: unknown[]): unknown {
        return original.apply(this, args.map(bound));
      };
    });
  return undoAll([
    release,
    patchPublish(prototype, recorder),
    patchMessages(prototype, recorder),
    inRoot('connect'),
    inRoot('_setupStream'),
    calledBack('subscribe'),
    calledBack('unsubscribe'),
    patchMethod(prototype, 'end', (original) => {
      return function end(this: MqttClient, ...args: unknown[]): unknown {
        return original.apply(this, isWaiting(this) ? ending(this, args) : args.map(bound));
      };
    }),
  ]);
}

type Callback = (...args: unknown[]) => unknown;

const bound = (arg: unknown): unknown =>
  typeof arg === 'function' ? bindCallback('MQTT_CALL', arg as Callback) : arg;

/** The arguments of `end` as the library reads them, whatever was left out, with a callback. */
function ending(client: MqttClient, args: readonly unknown[]): unknown[] {
  const callback = args.map(bound).find((arg) => typeof arg === 'function') as Callback | undefined;
  const options = args.find((arg) => typeof arg === 'object' && arg !== null);
  const ended = function (this: unknown, ...results: unknown[]): unknown {
    endForgotten(client);
    return callback?.apply(this, results);
  };
  return [args[0] === true, options ?? {}, ended];
}
