import { createRequire } from 'node:module';

import { requireService } from '../../../support/services.ts';
import { called } from '../../support/callers.ts';
import { describeMessagingForms } from '../support/forms.ts';
import { instrumentedLibrary } from '../support/library.ts';
import { callbackForms, type CallbackTarget } from './callback-forms.ts';
import { promiseForms, type Target } from './forms.ts';

const require = createRequire(import.meta.url);

for (const [alias, callbacks] of [
  ['amqplib', 'amqplib/callback_api'],
  ['amqplib-0.10', 'amqplib-0.10/callback_api.js'],
  ['amqplib-0.10.0', 'amqplib-0.10.0/callback_api.js'],
] as const) {
  describe(`${alias}: every API form keeps its caller`, function () {
    this.timeout(120_000);
    const instrumented = instrumentedLibrary('amqplib', alias);
    const amqp = require(alias) as typeof import('amqplib');
    const amqpCallbacks = require(callbacks) as typeof import('amqplib/callback_api');
    let url = '';

    before(async function () {
      url = await requireService(this, 'rabbitmq');
      instrumented.enable();
    });
    after(() => instrumented.disable());

    describeMessagingForms<Target>({
      name: 'promises',
      forms: promiseForms,
      open: async () => {
        const connection = await amqp.connect(url);
        const channel = await connection.createChannel();
        const confirm = await connection.createConfirmChannel();
        return { target: { connection, channel, confirm }, close: () => connection.close() };
      },
    });

    describeMessagingForms<CallbackTarget>({
      name: 'callbacks',
      forms: callbackForms,
      open: async () => {
        const [, connection] = await called<[unknown, CallbackTarget['connection']]>((done) =>
          amqpCallbacks.connect(url, done),
        );
        const [, channel] = await called<[unknown, CallbackTarget['channel']]>((done) =>
          connection.createChannel(done),
        );
        const [, confirm] = await called<[unknown, CallbackTarget['confirm']]>((done) =>
          connection.createConfirmChannel(done),
        );
        const close = (): Promise<unknown> => called((done) => connection.close(done));
        return { target: { connection, channel, confirm }, close };
      },
    });
  });
}
