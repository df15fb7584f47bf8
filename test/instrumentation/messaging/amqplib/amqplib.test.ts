import assert from 'node:assert/strict';

import { context, propagation, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import {
  CompositePropagator,
  W3CBaggagePropagator,
  W3CTraceContextPropagator,
} from '@opentelemetry/core';
import * as amqplib from 'amqplib';

import { ATTR_SETTLEMENT } from '../../../../src/instrumentation/messaging/attributes.ts';
import { requireService } from '../../../support/services.ts';
import { registerTelemetry, type Telemetry } from '../../support/telemetry.ts';
import { instrumentedLibrary } from '../support/library.ts';

const SECRET = 'hunter2';

describe('amqplib', function () {
  this.timeout(120_000);
  const instrumented = instrumentedLibrary('amqplib', 'amqplib');
  let url: string;
  let telemetry: Telemetry;
  let connection: amqplib.ChannelModel;
  let channel: amqplib.ConfirmChannel;
  let queue = '';
  let runs = 0;

  before(async function () {
    url = await requireService(this, 'rabbitmq');
    instrumented.enable();
  });
  after(() => instrumented.disable());
  beforeEach(async () => {
    telemetry = registerTelemetry();
    propagation.disable();
    propagation.setGlobalPropagator(
      new CompositePropagator({
        propagators: [new W3CTraceContextPropagator(), new W3CBaggagePropagator()],
      }),
    );
    instrumented.setConfig({});
    connection = await amqplib.connect(url);
    channel = await connection.createConfirmChannel();
    queue = `orders-${process.pid}-${++runs}`;
    await channel.assertQueue(queue, { durable: false });
  });
  afterEach(async () => {
    await channel.deleteQueue(queue).catch(() => undefined);
    await connection.close().catch(() => undefined);
  });

  /** Sends one message and resolves with it once a consumer got it and acknowledged it. */
  const exchange = async (
    options: amqplib.Options.Publish = {},
    handler: (message: amqplib.ConsumeMessage) => void = () => undefined,
  ): Promise<amqplib.ConsumeMessage> => {
    const received = new Promise<amqplib.ConsumeMessage>((resolve) => {
      const consumer = (message: amqplib.ConsumeMessage | null): void => {
        handler(message!);
        channel.ack(message!);
        resolve(message!);
      };
      void channel.consume(queue, consumer, { consumerTag: queue });
    });
    await new Promise<void>((resolve, reject) => {
      channel.sendToQueue(queue, Buffer.from(SECRET), options, (error) =>
        error ? reject(error as Error) : resolve(),
      );
    });
    const message = await received;
    await channel.cancel(queue);
    return message;
  };

  it('records the conventions of RabbitMQ, and nothing of a payload', async () => {
    await exchange({ messageId: 'id-1', correlationId: 'talk-1', headers: { token: SECRET } });
    const [send, process] = telemetry
      .spans()
      .sort((a, b) => (b.kind - a.kind === 0 ? 0 : a.kind - b.kind));
    const { hostname, port } = new URL(url);
    const common = {
      'messaging.system.name': 'rabbitmq',
      'messaging.system': 'rabbitmq',
      'messaging.destination.name': queue,
      'messaging.message.id': 'id-1',
      'messaging.message.conversation_id': 'talk-1',
      'server.address': hostname,
      'server.port': Number(port),
      'messaging.rabbitmq.destination.routing_key': queue,
      'messaging.message.body.size': SECRET.length,
    };
    assert.equal(send?.name, `send ${queue}`);
    assert.equal(send.kind, SpanKind.PRODUCER);
    assert.deepEqual(send.attributes, {
      ...common,
      'messaging.operation.name': 'send',
      'messaging.operation.type': 'send',
    });
    assert.equal(process?.name, `process ${queue}`);
    assert.equal(process.kind, SpanKind.CONSUMER);
    assert.deepEqual(process.attributes, {
      ...common,
      'messaging.operation.name': 'process',
      'messaging.operation.type': 'process',
    });
    assert.deepEqual(
      process.links.map((link) => link.context.spanId),
      [send.spanContext().spanId],
    );
    assert.ok(
      !JSON.stringify(
        telemetry.spans().map(({ attributes, events }) => [attributes, events]),
      ).includes(SECRET),
    );
  });

  it('adds its headers to those of the application, whose object stays as it is', async () => {
    const headers = Object.freeze({ own: 'value', traceparent: 'theirs' });
    const options = Object.freeze({ headers });
    const message = await exchange(options);
    const [send] = telemetry.spans().filter(({ kind }) => kind === SpanKind.PRODUCER);
    const { traceId, spanId } = send!.spanContext();
    assert.deepEqual(
      { ...message.properties.headers },
      {
        own: 'value',
        traceparent: `00-${traceId}-${spanId}-01`,
      },
    );
    assert.deepEqual(headers, { own: 'value', traceparent: 'theirs' });
  });

  it('sends no headers of its own where messages are to carry none', async () => {
    instrumented.setConfig({ propagate: false });
    const message = await exchange({ headers: { own: 'value' } });
    assert.deepEqual({ ...message.properties.headers }, { own: 'value' });
  });

  it('sends without its headers where there is no room for them', async () => {
    const headers = { own: 'x'.repeat(65_500) };
    const message = await exchange({ headers });
    assert.deepEqual({ ...message.properties.headers }, headers);
    const tooLong = { own: 'x'.repeat(70_000) };
    const send = (): boolean =>
      channel.sendToQueue(queue, Buffer.from('text'), { headers: tooLong });
    assert.throws(send, RangeError);
  });

  for (const [name, headers] of Object.entries({
    'that are no trace context': { traceparent: 'not one', tracestate: 7, baggage: '=;,=' },
    'that are tables': { traceparent: { '!': 'timestamp', value: 1 }, baggage: ['a', 'b'] },
    'that are enormous': { baggage: `a=${'x'.repeat(60_000)}` },
  })) {
    it(`serves a handler its message whatever headers it has: ${name}`, async () => {
      // Sent without us, as a producer may that lies.
      instrumented.disable();
      const other = await amqplib.connect(url);
      const sender = await other.createConfirmChannel();
      sender.sendToQueue(queue, Buffer.from('text'), { headers });
      await sender.waitForConfirms();
      await other.close();
      instrumented.enable();
      let seen: unknown;
      await new Promise<void>((resolve) => {
        void channel.consume(
          queue,
          (message) => {
            seen = message?.content.toString();
            resolve();
          },
          { noAck: true },
        );
      });
      assert.equal(seen, 'text');
      const process = telemetry.onlySpan();
      assert.deepEqual(process.links, []);
      assert.equal(process.parentSpanContext, undefined);
    });
  }

  it('is in the trace of the producer where the configuration is child, with its baggage', async () => {
    instrumented.setConfig({ consumerSpan: 'child' });
    let tenant: string | undefined;
    const baggage = propagation.createBaggage({ tenant: { value: 'acme' } });
    await context.with(propagation.setBaggage(context.active(), baggage), () =>
      exchange({}, () => {
        tenant = propagation.getActiveBaggage()?.getEntry('tenant')?.value;
      }),
    );
    const [send] = telemetry.spans().filter(({ kind }) => kind === SpanKind.PRODUCER);
    const [process] = telemetry.spans().filter(({ kind }) => kind === SpanKind.CONSUMER);
    assert.equal(process?.parentSpanContext?.spanId, send?.spanContext().spanId);
    assert.equal(tenant, 'acme');
  });

  it("ends the span of a handler that throws or rejects with its error, which is the library's to see", async () => {
    const errors: unknown[] = [];
    const other = await connection.createChannel();
    other.on('handler-error', (error) => errors.push(error));
    channel.sendToQueue(queue, Buffer.from('text'));
    await channel.waitForConfirms();
    await other.consume(queue, () => {
      throw new RangeError('a fault of the handler');
    });
    while (errors.length === 0) await new Promise((resolve) => setImmediate(resolve));
    const [process] = telemetry.spans().filter(({ kind }) => kind === SpanKind.CONSUMER);
    assert.equal(process?.attributes['error.type'], 'RangeError');
    assert.equal(process.status.code, SpanStatusCode.ERROR);
    assert.equal((errors[0] as Error).message, 'a fault of the handler');
    await other.close();
  });

  it('records that a message was refused, and that its channel closed before it was settled', async () => {
    const other = await connection.createChannel();
    for (const text of ['refused', 'open']) channel.sendToQueue(queue, Buffer.from(text));
    await channel.waitForConfirms();
    let left = 2;
    await new Promise<void>((resolve) => {
      void other.consume(queue, (message) => {
        if (message?.content.toString() === 'refused') other.reject(message, false);
        if (--left === 0) setImmediate(resolve);
      });
    });
    const processed = (): unknown[] =>
      telemetry
        .spans()
        .filter(({ kind }) => kind === SpanKind.CONSUMER)
        .map(({ attributes }) => [attributes[ATTR_SETTLEMENT], attributes['error.type']]);
    assert.deepEqual(processed(), [['reject', undefined]]);
    await other.close();
    assert.deepEqual(processed(), [
      ['reject', undefined],
      [undefined, 'channel_closed'],
    ]);
  });

  it('acknowledges up to a message: the spans of all before end with it', async () => {
    for (const text of ['1', '2', '3']) channel.sendToQueue(queue, Buffer.from(text));
    await channel.waitForConfirms();
    telemetry.reset();
    const messages: amqplib.ConsumeMessage[] = [];
    await new Promise<void>((resolve) => {
      void channel.consume(queue, (message) => {
        if (messages.push(message!) === 3) setImmediate(resolve);
      });
    });
    assert.equal(telemetry.spans().length, 0);
    channel.ack(messages[1]!, true);
    assert.equal(telemetry.spans().length, 2);
    channel.ackAll();
    assert.equal(telemetry.spans().length, 3);
  });

  it('leaves the name of a queue that the broker made up out of the name of a span', async () => {
    const { queue: made } = await channel.assertQueue('', { exclusive: true });
    channel.sendToQueue(made, Buffer.from('text'));
    const span =
      telemetry.spans().at(-1) ?? (await channel.waitForConfirms(), telemetry.spans().at(-1));
    assert.equal(span?.name, 'send');
    assert.equal(span.attributes['messaging.destination.temporary'], true);
  });

  it('names a send by the exchange, and what is consumed by the queue', async () => {
    await channel.bindQueue(queue, 'amq.topic', 'orders.*.paid');
    channel.publish('amq.topic', 'orders.17.paid', Buffer.from('text'));
    await new Promise<void>((resolve) => {
      void channel.consume(queue, () => resolve(), { noAck: true });
    });
    const names = telemetry
      .spans()
      .map(({ name, attributes }) => [name, attributes['messaging.destination.name']]);
    assert.deepEqual(names, [
      ['send amq.topic', 'amq.topic:orders.17.paid'],
      [`process ${queue}`, `amq.topic:orders.17.paid:${queue}`],
    ]);
  });

  it('makes no span for a consumer that is idle', async () => {
    await channel.consume(queue, () => undefined);
    assert.equal(await channel.get(queue), false);
    await new Promise((resolve) => setTimeout(resolve, 100));
    assert.deepEqual(telemetry.spans(), []);
  });

  it('gives a request and its reply one trace by links, over the pseudo-queue for replies', async () => {
    await channel.consume(
      queue,
      (request) => {
        if (request === null) return;
        const { replyTo, correlationId } = request.properties;
        channel.sendToQueue(replyTo as string, Buffer.from('reply'), { correlationId });
      },
      { noAck: true },
    );
    const asking = await connection.createChannel();
    await trace.getTracer('app').startActiveSpan('request', async (request) => {
      const replied = new Promise<void>((resolve) => {
        void asking
          .consume('amq.rabbitmq.reply-to', () => resolve(), { noAck: true })
          .then(() => {
            const options = { replyTo: 'amq.rabbitmq.reply-to', correlationId: '1' };
            asking.sendToQueue(queue, Buffer.from('request'), options);
          });
      });
      await replied;
      request.end();
    });
    const [send, process, reply, heard] = ['send', 'process', 'send', 'process'].map(
      (type, index) => {
        const found = telemetry.spans().filter(({ name }) => name.startsWith(type));
        return found[index < 2 ? 0 : 1];
      },
    );
    assert.equal(process?.links[0]?.context.spanId, send?.spanContext().spanId);
    assert.equal(reply?.parentSpanContext?.spanId, process?.spanContext().spanId);
    assert.equal(heard?.links[0]?.context.spanId, reply?.spanContext().spanId);
    assert.equal(heard?.name, 'process');
    await asking.close();
  });
});
