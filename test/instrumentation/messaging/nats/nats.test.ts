import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { setTimeout as wait } from 'node:timers/promises';

import { propagation, SpanKind } from '@opentelemetry/api';
import { W3CTraceContextPropagator } from '@opentelemetry/core';
import type { Msg, NatsConnection } from 'nats';

import { requireService } from '../../../support/services.ts';
import { called } from '../../support/callers.ts';
import { assertNoDifference, describeError } from '../../support/differential.ts';
import { registerTelemetry, type Telemetry } from '../../support/telemetry.ts';
import { describeMessagingForms, OWN, type MessagingForm } from '../support/forms.ts';
import { instrumentedModules } from '../support/library.ts';

const require = createRequire(import.meta.url);
const SECRET = 'hunter2';
/** Texts are payloads of later versions alone. */
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const TEXT = bytes('text');

const forms: MessagingForm<NatsConnection>[] = [
  {
    name: 'publish, and a callback',
    spans: [`send ${OWN}`, `process ${OWN}`],
    run: async (connection, own, note) => {
      const heard = called((done) => {
        connection.subscribe(own, {
          max: 1,
          callback: async () => {
            note('handler');
            await wait(2);
            note('handler later');
            setImmediate(done);
          },
        });
      });
      connection.publish(own, TEXT);
      note('after');
      await connection.flush();
      note('flushed');
      await heard;
    },
  },
  {
    name: 'publish, and a loop',
    spans: [`send ${OWN}`, `send ${OWN}`, `receive ${OWN}`, `receive ${OWN}`],
    run: async (connection, own, note) => {
      const subscription = connection.subscribe(own, { max: 2 });
      connection.publish(own, TEXT);
      connection.publish(own, new Uint8Array([1, 2]));
      for await (const { subject } of subscription) note(`message of ${subject}`);
      note('after the loop');
    },
  },
  ...[false, true].map((noMux): MessagingForm<NatsConnection> => ({
    name: `request and reply${noMux ? ' without the shared subscription' : ''}`,
    spans: [`send ${OWN}`, `process ${OWN}`],
    run: async (connection, own, note) => {
      connection.subscribe(own, {
        max: 1,
        callback: (_error, message) => {
          note('handler');
          message.respond(bytes('reply'));
        },
      });
      await connection.request(own, TEXT, { timeout: 5000, noMux });
      note('reply');
    },
  })),
  {
    name: 'a request that no one answers, and a bad subject',
    spans: [`send ${OWN}`, `send bad ${OWN}`, `send bad ${OWN}`],
    run: async (connection, own, note) => {
      await connection.request(own, TEXT, { timeout: 1000 }).catch(() => note('no responders'));
      await connection.request(`bad ${own}`, TEXT, { timeout: 50 }).catch(() => note('rejected'));
      try {
        connection.publish(`bad ${own}`, TEXT);
      } catch {
        note('thrown');
      }
    },
  },
  {
    name: 'requestMany',
    spans: [`send ${OWN}`, `process ${OWN}`],
    run: async (connection, own, note) => {
      connection.subscribe(own, {
        max: 1,
        callback: (_error, message) => {
          note('handler');
          message.respond(bytes('1'));
          message.respond(bytes('2'));
        },
      });
      const options = { maxMessages: 2, maxWait: 2000, strategy: 'count' as never };
      for await (const reply of await connection.requestMany(own, TEXT, options)) {
        note(`reply ${typeof reply}`);
      }
    },
  },
];

for (const [name, module, alias] of [
  ['nats', 'nats', 'nats'],
  ['@nats-io/nats-core', '@nats-io/transport-node', '@nats-io/nats-core'],
] as const) {
  describe(module, function () {
    this.timeout(120_000);
    const { connect, headers: newHeaders } = require(module) as typeof import('nats');
    const instrumented = instrumentedModules('nats', name, alias);
    let telemetry: Telemetry;
    let servers: string;
    let connection: NatsConnection;
    let runs = 0;

    before(async function () {
      servers = await requireService(this, 'nats');
    });
    beforeEach(async () => {
      telemetry = registerTelemetry();
      propagation.disable();
      propagation.setGlobalPropagator(new W3CTraceContextPropagator());
      instrumented.setConfig({});
      instrumented.enable();
      connection = await connect({ servers });
    });
    afterEach(async () => {
      await connection.close();
      instrumented.disable();
    });
    const newSubject = (): string => `orders.${process.pid}.${++runs}`;

    describeMessagingForms<NatsConnection>({
      name: module,
      forms,
      open: async () => {
        const target = await connect({ servers });
        return { target, close: () => target.close() };
      },
    });

    /** What one subscriber by callback got, once it has so many messages. */
    const subscribed = (subject: string, count: number): Promise<Msg[]> =>
      new Promise((resolve, reject) => {
        const messages: Msg[] = [];
        connection.subscribe(subject, {
          max: count,
          callback: (error, message) => {
            if (error) reject(error);
            if (messages.push(message) === count) setImmediate(resolve, messages);
          },
        });
      });

    it('records the conventions, and nothing of a payload', async () => {
      const subject = newSubject();
      const heard = subscribed(`orders.${process.pid}.>`, 1);
      const headers = newHeaders();
      headers.set('Own', SECRET);
      headers.set('Traceparent', 'theirs');
      connection.publish(subject, bytes(SECRET), { headers });
      const [message] = await heard;
      const [sent] = telemetry.spans().filter(({ kind }) => kind === SpanKind.PRODUCER);
      const [processed] = telemetry.spans().filter(({ kind }) => kind === SpanKind.CONSUMER);
      const { hostname, port } = new URL(servers);
      const common = {
        'messaging.system.name': 'nats',
        'messaging.system': 'nats',
        'messaging.destination.name': subject,
        'server.address': hostname,
        'server.port': Number(port),
        'messaging.message.body.size': SECRET.length,
      };
      assert.equal(sent?.name, `send ${subject}`);
      assert.deepEqual(sent.attributes, {
        ...common,
        'messaging.operation.name': 'send',
        'messaging.operation.type': 'send',
      });
      assert.equal(processed?.name, `process orders.${process.pid}.>`);
      assert.deepEqual(processed.attributes, {
        ...common,
        'messaging.operation.name': 'process',
        'messaging.operation.type': 'process',
        'messaging.destination.template': `orders.${process.pid}.>`,
      });
      const { traceId, spanId } = sent.spanContext();
      assert.deepEqual(
        processed.links.map(({ context }) => context.spanId),
        [spanId],
      );
      assert.deepEqual(
        [...message!.headers!],
        [
          ['Own', [SECRET]],
          ['traceparent', [`00-${traceId}-${spanId}-01`]],
        ],
      );
      assert.equal(headers.get('Traceparent'), 'theirs');
    });

    it('has a reply in the span of its request, which lasts to the reply', async () => {
      const subject = newSubject();
      connection.subscribe(subject, {
        max: 1,
        callback: (_error, message) => void message.respond(bytes('reply')),
      });
      const { headers } = await connection.request(subject, TEXT, { timeout: 5000 });
      const named = (start: string) =>
        telemetry.spans().find(({ name: each }) => each.startsWith(start));
      const [request, processed, reply] = [named('request'), named('process'), named('send')];
      assert.equal(request?.name, `request ${subject}`);
      assert.equal(processed?.links[0]?.context.spanId, request.spanContext().spanId);
      assert.equal(reply?.parentSpanContext?.spanId, processed.spanContext().spanId);
      assert.equal(reply.name, 'send');
      assert.equal(headers?.get('traceparent').slice(36, 52), reply.spanContext().spanId);
    });

    it('makes no span for what the client and the server exchange internally', async () => {
      await connection.request('$JS.API.INFO', bytes(''), { timeout: 5000 });
      connection.subscribe(newSubject(), { callback: () => undefined });
      await connection.flush();
      assert.deepEqual(telemetry.spans(), []);
    });

    it('serves a subscriber its message whatever headers it has', async () => {
      instrumented.disable();
      const subject = newSubject();
      instrumented.enable();
      const heard = subscribed(subject, 3);
      await connection.flush();
      instrumented.setConfig({ propagate: false });
      for (const fields of [
        [
          ['traceparent', 'not one'],
          ['baggage', '=;,'],
        ],
        [
          ['traceparent', '00-'],
          ['traceparent', 'two'],
        ],
        [
          ['traceparent', 'x'.repeat(20_000)],
          ['baggage', 'y'.repeat(400_000)],
        ],
      ] as [string, string][][]) {
        const headers = newHeaders();
        for (const [key, value] of fields) headers.append(key, value);
        connection.publish(subject, TEXT, { headers });
      }
      assert.deepEqual(
        (await heard).map((message) => Buffer.from(message.data).toString()),
        ['text', 'text', 'text'],
      );
      const processed = telemetry.spans().filter(({ kind }) => kind === SpanKind.CONSUMER);
      assert.deepEqual(
        processed.map(({ links }) => links.length),
        [0, 0, 0],
      );
    });

    it('does the same, bare and instrumented', async () => {
      instrumented.disable();
      await assertNoDifference(async () => {
        const seen: unknown[] = [];
        const own = await connect({ servers });
        const subject = `same.${process.pid}`;
        const attempt = async (label: string, fn: () => unknown): Promise<void> => {
          try {
            const result = await fn();
            seen.push([label, typeof result]);
          } catch (error) {
            seen.push([label, describeError(error)]);
          }
        };
        const heard: unknown[] = [];
        const subscription = own.subscribe(subject, {
          callback(this: unknown, ...args: unknown[]) {
            const [error, message] = args as [Error | null, Msg];
            const others = [...(message.headers ?? [])].filter(([key]) => key !== 'traceparent');
            heard.push([
              this === subscription,
              error,
              args.length,
              Buffer.from(message.data).toString(),
              others,
            ]);
          },
        });
        const headers = newHeaders();
        headers.append('a', 'x');
        headers.append('a', 'y');
        await attempt('text', () => own.publish(subject, 'text'));
        await attempt('bytes', () => own.publish(subject, new Uint8Array([65])));
        await attempt('nothing', () => own.publish(subject));
        await attempt('headers', () => own.publish(subject, TEXT, { headers }));
        await attempt('bad subject', () => own.publish('a b', TEXT));
        await attempt('bad payload', () => own.publish(subject, 7 as never));
        await attempt('too long', () => own.publish(subject, new Uint8Array(2 << 20)));
        await attempt('as long as can be', () =>
          own.publish(subject, new Uint8Array(own.info!.max_payload)),
        );
        await attempt('bad headers', () => own.publish(subject, TEXT, { headers: 7 as never }));
        await attempt('no responders', () =>
          own.request(`${subject}.no`, bytes('x'), { timeout: 500 }),
        );
        await attempt('timeout', () => own.request(subject, bytes('x'), { timeout: 20 }));
        await attempt('bad timeout', () => own.request(subject, bytes('x'), { timeout: -1 }));
        await attempt('bad subscription', () => own.subscribe(''));
        await own.flush();
        seen.push(
          heard.map((each) => JSON.stringify(each).slice(0, 200)),
          own.stats().inMsgs,
        );
        await own.close();
        await attempt('closed', () => own.publish(subject, bytes('x')));
        await attempt('closed request', () => own.request(subject, bytes('x')));
        return JSON.parse(JSON.stringify(seen)) as unknown;
      }, instrumented);
    });
  });
}
