import {
  reservePatch,
  patchHotMethod,
  patchMethod,
  undoAll,
  type Undo,
} from '../../../base/patch.ts';
import type { Recorder } from '../../recorder/recorder.ts';
import type { OperationRecording } from '../../recorder/operation-recording.ts';
import { setUp } from '../../redis/setup.ts';
import { PendingOperation } from '../../pending-operation.ts';
import { handOn, recorded, settlingOperation, takeCall } from './call-scopes.ts';
import {
  allWithContext,
  carriedOut,
  describe,
  describeQueue,
  errorIn,
  withContext,
} from './attributes.ts';
import { connecting, patchEvents } from './events-source.ts';
import { patchDuplicate } from './queue-clients.ts';
import { patchFactory } from './script-names.ts';
import { patchSubscriptions } from './subscription-source.ts';
import type { ClassOf, RedisClient } from './library-types.ts';

/** Patches the class of clients: commands, batches, scripts, subscriptions, connecting. */
export function patchClient(Client: ClassOf<RedisClient>, recorder: Recorder): Undo | undefined {
  const { prototype } = Client;
  const release = reservePatch(prototype, 'redis client');
  if (!release) return undefined;
  return undoAll([
    release,
    patchFactory(Client),
    patchDuplicate(prototype),
    patchEvents(prototype),
    patchSubscriptions(prototype, recorder),
    patchMethod(prototype, 'connect', (original) => {
      return function connect(...args) {
        return connecting(this, () => setUp(original, this, ...args));
      };
    }),
    patchHotMethod(prototype, 'sendCommand', (original, patch) => {
      return function sendCommand(args, ...rest) {
        const send = (recording?: OperationRecording): unknown =>
          original.call(this, withContext(recorder, recording, args), ...rest);
        // A cluster sends it before a redirected command. It is not a separate operation.
        if (patch.isUndone || !Array.isArray(args) || args[0] === 'ASKING') return send();
        return recorded(
          this,
          recorder,
          (whole) => describe(this, whole ?? args),
          send,
          () => carriedOut(this, args),
        );
      };
    }),
    patchMethod(prototype, '_executeMulti', (original) => {
      return function _executeMulti(commands, ...rest) {
        const send = (recording?: OperationRecording): unknown =>
          original.call(this, allWithContext(recorder, recording, commands), ...rest);
        return recorded(
          this,
          recorder,
          () => describeQueue(this, 'MULTI', commands),
          send,
          errorIn,
        );
      };
    }),
    patchMethod(prototype, '_executePipeline', (original) => {
      return function _executePipeline(commands, ...rest) {
        const send = (recording?: OperationRecording): unknown =>
          original.call(this, allWithContext(recorder, recording, commands), ...rest);
        if (commands.length === 0) return send();
        return recorded(
          this,
          recorder,
          () => describeQueue(this, 'PIPELINE', commands),
          send,
          errorIn,
        );
      };
    }),
    // Sends the script's digest and, if the server does not know it, the script.
    patchMethod(prototype, '_executeScript', (original) => {
      return function _executeScript(...args) {
        const call = takeCall();
        if (!recorder.isListening) return original.apply(this, args);
        const operation = call?.operation ?? new PendingOperation('REDIS_SCRIPT');
        const sender = Object.create(this, {
          sendCommand: {
            value: (...command: Parameters<RedisClient['sendCommand']>) =>
              handOn({ ...call, operation }, () => this.sendCommand(...command)),
          },
        }) as RedisClient;
        const run = (): unknown => original.apply(sender, args);
        return call?.operation ? run() : settlingOperation(operation, run);
      };
    }),
  ]);
}
