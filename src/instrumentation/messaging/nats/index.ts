import type { ModuleExports } from '../../module-hooks.ts';
import { reservePatch, patchMethod, undoAll, type Undo } from '../../../base/patch.ts';
import { runInRoot } from '../../../carry/root-context.ts';
import type { MessagingDefinition } from '../messaging-definition.ts';
import type { MessagingRecorder } from '../messaging-recorder.ts';
import { patchIterator, patchSubscribe } from './consumer-source.ts';
import { patchJetStreamClient, patchOrderedConsumer } from './jetstream-2-source.ts';
import { patchJetStream } from './jetstream-source.ts';
import { patchConnection, patchProtocol } from './producer-source.ts';
import type { Connection, Protocol, Subscription } from './library-types.ts';

const V2 = '>=2.29.0 <3';
const V3 = '>=3.0.0 <4';

/**
 * NATS by `nats` 2 and by `@nats-io/nats-core` 3, over any of its transports, and what JetStream's
 * consumers get, by `nats` 2 and `@nats-io/jetstream` 3.
 */
export const nats: MessagingDefinition = {
  name: 'nats',
  inPlaceOfRules: ['nats', '@nats-io/nats-core'],
  modules: [
    { module: 'nats/lib/nats-base-client/nats', versions: V2, patch: patchExports },
    { module: 'nats/lib/nats-base-client/protocol', versions: V2, patch: patchExports },
    { module: 'nats/lib/jetstream/consumer', versions: V2, patch: patchConsumers },
    { module: 'nats/lib/jetstream/jsclient', versions: V2, patch: patchJetStreamClient },
    { module: 'nats/lib/jetstream/jsmsg', versions: V2, patch: patchJetStream },
    { module: '@nats-io/jetstream/lib/consumer', versions: V3, patch: patchJetStream },
    { module: '@nats-io/jetstream/lib/pushconsumer', versions: V3, patch: patchJetStream },
    { module: '@nats-io/jetstream/lib/jsmsg', versions: V3, patch: patchJetStream },
    { module: '@nats-io/nats-core/lib/nats', versions: V3, patch: patchExports },
    { module: '@nats-io/nats-core/lib/protocol', versions: V3, patch: patchExports },
  ],
};

interface Classes {
  NatsConnectionImpl?: Opening & { prototype: Connection };
  ProtocolHandler?: { prototype: Protocol };
  SubscriptionImpl?: { prototype: Subscription };
}

interface Opening {
  connect(...args: unknown[]): unknown;
}

function patchExports(exports: ModuleExports, recorder: MessagingRecorder): Undo | undefined {
  const { NatsConnectionImpl, ProtocolHandler, SubscriptionImpl } = exports as Classes;
  const undos = [
    NatsConnectionImpl && patchConnect(NatsConnectionImpl),
    NatsConnectionImpl && patchConnection(NatsConnectionImpl.prototype, recorder),
    NatsConnectionImpl && patchSubscribe(NatsConnectionImpl.prototype, recorder),
    ProtocolHandler && patchProtocol(ProtocolHandler.prototype, recorder),
    SubscriptionImpl && patchIterator(SubscriptionImpl.prototype, recorder),
  ];
  return undos.some(Boolean) ? undoAll(undos) : undefined;
}

function patchConsumers(exports: ModuleExports, recorder: MessagingRecorder): Undo | undefined {
  const undos = [patchJetStream(exports, recorder), patchOrderedConsumer(exports, recorder)];
  return undos.some(Boolean) ? undoAll(undos) : undefined;
}

/** What is opened is shared by all callers, and has the context of none. */
function patchConnect(connection: Opening): Undo | undefined {
  const release = reservePatch(connection, 'nats connect');
  if (!release) return undefined;
  return undoAll([
    release,
    patchMethod(connection, 'connect', (original) => {
      return function connect(this: Opening, ...args: unknown[]): unknown {
        return runInRoot(original, this, ...args);
      };
    }),
  ]);
}
