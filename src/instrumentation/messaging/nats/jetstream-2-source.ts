import { types } from 'node:util';

import { guard } from '../guard.ts';
import type { ModuleExports } from '../../module-hooks.ts';
import { reservePatch, patchMethod, undoAll, type Undo } from '../../../base/patch.ts';
import type { MessagingRecorder } from '../messaging-recorder.ts';
import { receiving, withoutSpansOf } from './consumer-source.ts';
import { carrierIn } from './attributes.ts';
import { describe, describeDelivery, handling } from './jetstream-source.ts';
import type {
  DeliveryOptions,
  JetStreamClient,
  JetStreamMessage,
  JetStreamSubscription,
  OrderedConsumer,
} from './library-types.ts';

/*
 * What version 2 alone has: ordered consumers that keep the callback of the application from the
 * consumer in front of them, and `subscribe` of JetStream, which is deprecated.
 */

export function patchOrderedConsumer(
  exports: ModuleExports,
  recorder: MessagingRecorder,
): Undo | undefined {
  const { prototype } =
    (exports as { OrderedPullConsumerImpl?: { prototype: OrderedConsumer } })
      .OrderedPullConsumerImpl ?? {};
  const release = prototype && reservePatch(prototype, 'nats ordered consumer');
  if (!release) return undefined;
  return undoAll([
    release,
    patchMethod(prototype, 'consume', (original) => {
      return function consume(this: OrderedConsumer, options, ...rest) {
        const callback = options?.callback;
        if (typeof callback !== 'function') return original.call(this, options, ...rest);
        const isAsync = types.isAsyncFunction(callback);
        const handler = (message: JetStreamMessage): unknown => {
          const call = (): unknown => callback.call(this, message);
          if (!recorder.isListening) return call();
          return handling(
            recorder,
            message,
            () => describe('process', this, message),
            call,
            isAsync,
          );
        };
        return original.call(this, { ...options, callback: handler }, ...rest);
      };
    }),
    patchMethod(prototype, 'next', (original) => {
      return async function next(this: OrderedConsumer, ...args) {
        const message = await original.apply(this, args);
        if (message && recorder.isListening) {
          const carriers = [guard('read headers', () => carrierIn(message.headers))];
          recorder.start(() => describe('receive', this, message), { carriers })?.end();
        }
        return message;
      };
    }),
  ]);
}

export function patchJetStreamClient(
  exports: ModuleExports,
  recorder: MessagingRecorder,
): Undo | undefined {
  const { JetStreamClientImpl, JetStreamSubscriptionImpl } = exports as {
    JetStreamClientImpl?: { prototype: JetStreamClient };
    JetStreamSubscriptionImpl?: { prototype: JetStreamSubscription };
  };
  const client = JetStreamClientImpl?.prototype;
  const subscription = JetStreamSubscriptionImpl?.prototype;
  const release = client && subscription && reservePatch(client, 'nats jetstream subscribe');
  if (!release) return undefined;
  return undoAll([
    release,
    // What it returns is used at once, for the subscription to where the messages are delivered.
    patchMethod(client, '_buildTypedSubscriptionOpts', (original) => {
      return function build(this: JetStreamClient, consumer) {
        const options = original.call(this, consumer);
        withoutSpansOf(consumer.deliver);
        if (typeof options.callback === 'function') {
          options.callback = consuming(this, consumer, options.callback, recorder);
        }
        return options;
      };
    }),
    patchMethod(subscription, Symbol.asyncIterator, (original) => {
      return function messages(this: JetStreamSubscription) {
        const { protocol } = this.js.nc;
        return receiving(original.call(this), recorder, (message) =>
          describeDelivery('receive', protocol, message, consumerOf(this.info)),
        );
      };
    }),
  ]);
}

type Callback = NonNullable<ReturnType<JetStreamClient['_buildTypedSubscriptionOpts']>['callback']>;

function consuming(
  { nc: { protocol } }: JetStreamClient,
  consumer: DeliveryOptions,
  callback: Callback,
  recorder: MessagingRecorder,
): Callback {
  const isAsync = types.isAsyncFunction(callback);
  return function onMessage(this: unknown, error, message): unknown {
    const call = (): unknown => callback.call(this, error, message);
    if (error || !message || !recorder.isListening) return call();
    const describing = () => describeDelivery('process', protocol, message, consumerOf(consumer));
    return handling(recorder, message, describing, call, isAsync);
  };
}

function consumerOf(consumer: DeliveryOptions | null): { name: unknown; filter: unknown } {
  const { name, config } = consumer ?? {};
  return { name: config?.durable_name ?? name, filter: config?.filter_subject };
}
