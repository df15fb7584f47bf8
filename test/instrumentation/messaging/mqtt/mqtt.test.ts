import assert from 'node:assert/strict';
import { once, type EventEmitter } from 'node:events';
import { createRequire } from 'node:module';
import { setTimeout as wait } from 'node:timers/promises';

import { propagation, SpanKind } from '@opentelemetry/api';
import { W3CTraceContextPropagator } from '@opentelemetry/core';
import type { IClientOptions, IPublishPacket, MqttClient } from 'mqtt';

import { requireService } from '../../../support/services.ts';
import { called } from '../../support/callers.ts';
import { assertNoDifference, describeError } from '../../support/differential.ts';
import { registerTelemetry, type Telemetry } from '../../support/telemetry.ts';
import { describeMessagingForms, OWN, type MessagingForm } from '../support/forms.ts';
import { withoutOurs } from '../support/headers.ts';
import { instrumentedLibrary } from '../support/library.ts';

const require = createRequire(import.meta.url);
const SECRET = 'hunter2';

/** Publishes with one quality of service, and hears of it by a listener of the same caller. */
const exchange = (qos: 0 | 1 | 2): MessagingForm<MqttClient> => ({
  name: `publish and message, QoS ${qos}`,
  spans: [`send ${OWN}`, `process ${OWN}`],
  run: async (client, own, note) => {
    await called((done) => {
      client.subscribe(own, { qos }, () => {
        note('subscribed');
        done();
      });
    });
    const received = called((done) => {
      const listener = async (topic: string): Promise<void> => {
        // Every listener of a client hears every message: those of others are none of this caller's.
        if (topic !== own) return;
        note('handler');
        await wait(2);
        note('handler later');
        client.removeListener('message', listener);
        setImmediate(done);
      };
      client.on('message', listener);
    });
    await called((done) => {
      client.publish(own, 'text', { qos }, () => {
        note('published');
        done();
      });
    });
    await received;
    await called((done) => {
      client.unsubscribe(own, () => {
        note('unsubscribed');
        done();
      });
    });
  },
});

const others: MessagingForm<MqttClient>[] = [
  {
    name: 'publish without options, and without a callback',
    spans: [`send ${OWN}`, `send ${OWN}`],
    run: async (client, own, note) => {
      client.publish(own, 'text');
      note('after');
      await called((done) => {
        client.publish(own, Buffer.from('text'), () => {
          note('callback');
          done();
        });
      });
    },
  },
];

const connected = (client: MqttClient): Promise<unknown> =>
  once(client as unknown as EventEmitter, 'connect');

for (const [alias, protocolVersion] of [
  ['mqtt', 5],
  ['mqtt', 4],
  ['mqtt-5.0', 5],
  ['mqtt-4', 5],
  ['mqtt-4', 4],
] as const) {
  describe(`${alias} over version ${protocolVersion} of the protocol`, function () {
    this.timeout(120_000);
    const library = require(alias) as typeof import('mqtt');
    const instrumented = instrumentedLibrary('mqtt', alias);
    let telemetry: Telemetry;
    let url: string;
    let runs = 0;

    before(async function () {
      url = await requireService(this, 'mqtt');
    });
    beforeEach(() => {
      telemetry = registerTelemetry();
      propagation.disable();
      propagation.setGlobalPropagator(new W3CTraceContextPropagator());
      instrumented.setConfig({});
      instrumented.enable();
    });
    afterEach(() => instrumented.disable());

    const connect = async (options: IClientOptions = {}): Promise<MqttClient> => {
      const client = library.connect(url, { protocolVersion, ...options });
      await connected(client);
      return client;
    };
    const end = (client: MqttClient): Promise<unknown> =>
      called((done) => client.end(false, {}, done));

    describeMessagingForms<MqttClient>({
      name: alias,
      forms: [exchange(0), exchange(1), exchange(2), ...others].map((form) => ({
        ...form,
        run: async (_target, own, note) => {
          // A client each: what one client hears, all of its listeners hear.
          const client = await connect();
          await form.run(client, own, note);
          await called((done) => {
            client.end(false, {}, () => {
              note('ended');
              done();
            });
          });
        },
      })),
      isUnlinked: protocolVersion === 4,
      open: async () => ({ target: undefined as never, close: async () => undefined }),
    });

    it('records the conventions, and nothing of a payload', async () => {
      const client = await connect({ clientId: `shop-${process.pid}` });
      const topic = `orders/${process.pid}/${++runs}`;
      await called((done) => client.subscribe(topic, done));
      const heard = once(client as unknown as EventEmitter, 'message') as Promise<
        [string, Buffer, IPublishPacket]
      >;
      const properties = { userProperties: { own: SECRET } };
      const options = protocolVersion === 5 ? { properties } : {};
      await called((done) => client.publish(topic, SECRET, options, done));
      const [, , packet] = await heard;
      const [sent] = telemetry.spans().filter(({ kind }) => kind === SpanKind.PRODUCER);
      const [processed] = telemetry.spans().filter(({ kind }) => kind === SpanKind.CONSUMER);
      const { hostname, port } = new URL(url);
      const common = {
        'messaging.system.name': 'mqtt',
        'messaging.system': 'mqtt',
        'messaging.destination.name': topic,
        'messaging.client.id': `shop-${process.pid}`,
        'server.address': hostname,
        'server.port': Number(port),
        'messaging.message.body.size': SECRET.length,
      };
      const operation = (type: string): object => ({
        'messaging.operation.name': type,
        'messaging.operation.type': type,
      });
      assert.equal(sent?.name, `send ${topic}`);
      assert.deepEqual(sent.attributes, { ...common, ...operation('send') });
      assert.deepEqual(processed?.attributes, { ...common, ...operation('process') });
      const { traceId, spanId } = sent.spanContext();
      if (protocolVersion === 5) {
        const { userProperties } = packet.properties!;
        assert.deepEqual(
          { ...userProperties },
          { own: SECRET, traceparent: `00-${traceId}-${spanId}-01` },
        );
        assert.deepEqual(
          processed.links.map(({ context }) => context.spanId),
          [spanId],
        );
      } else assert.deepEqual(processed.links, []);
      assert.deepEqual(properties, { userProperties: { own: SECRET } });
      await end(client);
    });

    it('publishes as it does where no propagator is registered', async () => {
      propagation.disable();
      const client = await connect();
      const topic = `orders/${process.pid}/${++runs}`;
      await called((done) => client.subscribe(topic, { qos: 1 }, done));
      const heard = once(client as unknown as EventEmitter, 'message');
      await called((done) => client.publish(topic, 'text', { qos: 1 }, done));
      await heard;
      await end(client);
    });

    it('has the error of a publish that fails', async () => {
      const client = await connect();
      await end(client);
      const [error] = await called<[Error]>((done) => client.publish('topic', 'x', done as never));
      assert.equal(error.message, 'client disconnecting');
      assert.equal(telemetry.onlySpan().attributes['error.type'], 'Error');
    });

    if (protocolVersion === 5) {
      it('serves a listener its message whatever user properties it has', async () => {
        const client = await connect();
        const topic = `orders/${process.pid}/${++runs}`;
        await called((done) => client.subscribe(topic, done));
        instrumented.disable();
        const heard: string[] = [];
        client.on('message', (_topic, payload) => heard.push(payload.toString()));
        instrumented.enable();
        const listened = called((done) => {
          let left = 3;
          client.on('message', () => --left === 0 && setImmediate(done));
        });
        instrumented.disable();
        for (const userProperties of [
          { traceparent: 'not one', baggage: '=;,' },
          { traceparent: ['00-', 'two'] },
          { traceparent: 'x'.repeat(20_000), baggage: `a=${'b'.repeat(60_000)}` },
        ]) {
          client.publish(topic, 'text', { properties: { userProperties } });
        }
        instrumented.enable();
        await listened;
        assert.deepEqual(heard, ['text', 'text', 'text']);
        assert.deepEqual(
          telemetry.spans().map(({ links }) => links.length),
          [0, 0, 0],
        );
        await end(client);
      });
    }

    it('does the same, bare and instrumented', async () => {
      instrumented.disable();
      await assertNoDifference(async () => {
        const seen: unknown[] = [];
        const client = library.connect(url, { protocolVersion, clientId: `same-${process.pid}` });
        const topic = `same/${process.pid}`;
        for (const event of ['connect', 'error', 'close', 'end', 'offline'] as const) {
          client.on(event, (...args: unknown[]) => seen.push([event, args.length]));
        }
        await connected(client);
        const attempt = (name: string, fn: () => unknown): void => {
          try {
            seen.push([name, fn() === client]);
          } catch (error) {
            seen.push([name, describeError(error)]);
          }
        };
        await called((done) => {
          client.subscribe(topic, { qos: 1 }, (error, granted) => {
            seen.push(['subscribed', error, granted]);
            done();
          });
        });
        const messages: unknown[] = [];
        client.on('message', function (this: unknown, ...args: unknown[]) {
          const [, payload, { qos, retain, properties }] = args as [string, Buffer, IPublishPacket];
          const user = withoutOurs(properties?.userProperties);
          messages.push([this === client, args.length, payload.toString(), qos, retain, user]);
        });
        const userProperties = Object.freeze({ a: 'text', b: ['x', 'y'] });
        const properties = Object.freeze({ userProperties, contentType: 'text/plain' });
        for (const qos of [0, 1, 2] as const) {
          await called((done) => {
            const callback = (error: unknown, packet: unknown): void => {
              seen.push(['published', error ?? null, typeof packet]);
              done();
            };
            attempt('publish', () =>
              client.publish(topic, String(qos), Object.freeze({ qos, properties }), callback),
            );
          });
        }
        attempt('no topic', () =>
          client.publish(undefined as never, 'x', () => seen.push('no topic')),
        );
        attempt('no payload', () => client.publish(topic, undefined as never));
        attempt('bad options', () => client.publish(topic, '7', 7 as never));
        for (let tries = 0; messages.length < 3 && tries < 500; tries += 1) await wait(2);
        await called((done) => client.end(true, {}, done));
        attempt('after the end', () => client.publish(topic, 'x'));
        await wait(5);
        seen.push(
          messages.slice(0, 3),
          Object.keys(client).sort(),
          client.listenerCount('message'),
        );
        return JSON.parse(JSON.stringify(seen)) as unknown;
      }, instrumented);
    });
  });
}
