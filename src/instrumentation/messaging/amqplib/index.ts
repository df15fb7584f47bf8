import { patchListeners } from '../../listeners.ts';
import { reservePatch, undoAll, type Undo } from '../../../base/patch.ts';
import type { ModuleExports } from '../../module-hooks.ts';
import type { MessagingDefinition } from '../messaging-definition.ts';
import type { MessagingRecorder } from '../messaging-recorder.ts';
import { classesBehind } from './classes.ts';
import { patchConnect, patchConnection, type Connecting } from './connection-source.ts';
import { patchConsumers, patchSettlements } from './consumer-source.ts';
import { patchMessages, patchPublish } from './producer-source.ts';
import { patchGet, patchReplies } from './replies-source.ts';
import {
  isClass,
  type Channel,
  type Class,
  type Connection,
  type ModelChannel,
} from './library-types.ts';

const VERSIONS = '>=0.10.0 <3';

/** What a channel hears of its broker, and hands on itself: its own listeners need no context. */
const OWN_EVENTS = new Set(['ack', 'nack', 'delivery', 'cancel']);

/** RabbitMQ, and what else speaks AMQP 0-9-1: the callback API and that of promises. */
export const amqplib: MessagingDefinition = {
  name: 'amqplib',
  inPlaceOfRules: ['amqplib'],
  modules: [
    { module: 'amqplib/lib/channel', versions: VERSIONS, patch: patchExports },
    { module: 'amqplib/lib/channel_model', versions: VERSIONS, patch: patchExports },
    { module: 'amqplib/lib/callback_model', versions: VERSIONS, patch: patchExports },
    { module: 'amqplib/lib/connection', versions: VERSIONS, patch: patchExports },
    { module: 'amqplib/lib/connect', versions: VERSIONS, patch: patchExports },
  ],
};

/** Patches what it knows in the exports of any module of the library, the package's own included. */
function patchExports(exports: ModuleExports, recorder: MessagingRecorder): Undo | undefined {
  const whole = (exports?.default ?? exports) as Record<string, unknown> | undefined;
  if (typeof whole !== 'object' || whole === null) return undefined;
  const undos = Object.values(whole).map((value) => patchClass(value, recorder));
  if (typeof whole['connect'] === 'function') {
    // In a bundle the classes are found behind the first connection.
    const late: Undo[] = [];
    undos.push(() => undoAll(late.splice(0))());
    undos.push(
      patchConnect(whole as unknown as Connecting, (model) => {
        for (const each of classesBehind(model)) {
          const undo = patchClass(each, recorder);
          if (undo) late.push(undo);
        }
      }),
    );
  }
  return undos.some(Boolean) ? undoAll(undos) : undefined;
}

function patchClass(value: unknown, recorder: MessagingRecorder): Undo | undefined {
  if (isClass<ModelChannel>(value, 'publish', 'sendMessage', 'ackAll')) {
    return all([patchPublish(value, recorder), patchSettlements(value), patchGet(value)]);
  }
  if (isClass<Channel>(value, 'registerConsumer', 'sendOrEnqueue', 'sendMessage')) {
    return patchConsumers(value, recorder);
  }
  if (isClass<Channel>(value, 'sendOrEnqueue', 'sendMessage')) {
    const listeners = patchEmitter(value);
    return all([patchMessages(value, recorder), patchReplies(value, recorder), listeners]);
  }
  if (isClass<Channel>(value, 'createChannel', 'createConfirmChannel')) return patchEmitter(value);
  return isClass<Connection>(value, 'closeBecause', 'startHeartbeater')
    ? patchConnection(value)
    : undefined;
}

function patchEmitter({ prototype }: Class<Channel>): Undo | undefined {
  const release = reservePatch(prototype, 'amqplib listeners');
  if (!release) return undefined;
  return undoAll([release, patchListeners(prototype, { ofCallers: OWN_EVENTS })]);
}

function all(undos: readonly (Undo | undefined)[]): Undo | undefined {
  return undos.some(Boolean) ? undoAll(undos) : undefined;
}
