import assert from 'node:assert/strict';

import {
  context,
  propagation,
  ROOT_CONTEXT,
  SpanKind,
  trace,
  TraceFlags,
  type Context,
} from '@opentelemetry/api';
import {
  CompositePropagator,
  suppressTracing,
  W3CBaggagePropagator,
  W3CTraceContextPropagator,
} from '@opentelemetry/core';

import type { MessageOperation } from '../../../src/instrumentation/messaging/message-operation.ts';
import {
  resolveMessagingConfig,
  type MessagingConfig,
} from '../../../src/instrumentation/messaging/messaging-config.ts';
import { MessagingRecorder } from '../../../src/instrumentation/messaging/messaging-recorder.ts';
import { runHandler } from '../../../src/instrumentation/messaging/run-handler.ts';
import { registerMeasurements } from '../support/measurements.ts';
import { registerContextManager, registerTelemetry, type Telemetry } from '../support/telemetry.ts';
import { linkedTo } from './spans.ts';

const idOf = (digit: number): string => `000000000000000${digit}`;
const traceOf = (digit: number): string => `0000000000000000000000000000000${digit}`;
/** What a message of the producer with this digit carries. */
const carrier = (digit: number, flags = '01'): Record<string, string> => ({
  traceparent: `00-${traceOf(digit)}-${idOf(digit)}-${flags}`,
  baggage: `shop=${digit}`,
});
const SEND: MessageOperation = { system: 'kafka', type: 'send', destination: 'orders' };
const PROCESS: MessageOperation = { system: 'kafka', type: 'process', destination: 'orders' };

const byText = (a: unknown, b: unknown): number => String(a).localeCompare(String(b));

describe('The recorder of messages', () => {
  let telemetry: Telemetry;
  const recorder = (config: MessagingConfig = {}): MessagingRecorder =>
    new MessagingRecorder('clew/test', '1.0.0', resolveMessagingConfig(config));
  /** The span of a handler that is called in `active` with messages that have these carriers. */
  const processed = (
    config: MessagingConfig,
    carriers: (object | undefined)[],
    active: Context = ROOT_CONTEXT,
    isDeferred = false,
  ) => {
    const origin = { carriers: carriers as Record<string, unknown>[], isDeferred };
    context.with(active, () =>
      recorder(config)
        .startProcess(() => PROCESS, origin)
        ?.end(),
    );
    return telemetry.spans().at(-1)!;
  };
  const HERE = trace.setSpanContext(ROOT_CONTEXT, {
    traceId: traceOf(9),
    spanId: idOf(9),
    traceFlags: TraceFlags.SAMPLED,
  });

  beforeEach(() => {
    telemetry = registerTelemetry();
    propagation.setGlobalPropagator(
      new CompositePropagator({
        propagators: [new W3CTraceContextPropagator(), new W3CBaggagePropagator()],
      }),
    );
  });

  it('names spans by the operation and a destination of few names', () => {
    const names = (
      [
        SEND,
        { ...SEND, name: 'publish' },
        { ...SEND, destination: undefined },
        { ...SEND, destination: 'user.42', template: 'user.*' },
        { ...SEND, destination: 'amq.gen-x', isTemporary: true },
        { ...SEND, type: 'settle', name: 'ack' },
      ] as MessageOperation[]
    ).map((operation) => {
      recorder()
        .start(() => operation)
        ?.end();
      return telemetry.spans().at(-1)?.name;
    });
    assert.deepEqual(names, [
      'send orders',
      'publish orders',
      'send',
      'send user.*',
      'send',
      'ack orders',
    ]);
  });

  it('gives each type the kind that the conventions have for it', () => {
    const kinds = (['create', 'send', 'receive', 'process', 'settle'] as const).map((type) => {
      recorder()
        .start(() => ({ ...SEND, type }))
        ?.end();
      return telemetry.spans().at(-1)?.kind;
    });
    const { PRODUCER, CLIENT, CONSUMER } = SpanKind;
    assert.deepEqual(kinds, [PRODUCER, PRODUCER, CLIENT, CONSUMER, CLIENT]);
  });

  it('has the attributes of the conventions', () => {
    const operation: MessageOperation = {
      system: 'rabbitmq',
      type: 'send',
      name: 'publish',
      destination: 'orders',
      template: 'orders.*',
      isTemporary: true,
      messageId: '7',
      conversationId: 'c',
      batchSize: 1,
      clientId: 'me',
      consumerGroup: 'group',
      partition: '3',
      address: 'broker',
      port: 5672,
      attributes: { 'messaging.rabbitmq.destination.routing_key': 'key' },
    };
    recorder()
      .start(() => operation)
      ?.end();
    assert.deepEqual(telemetry.onlySpan().attributes, {
      'messaging.system.name': 'rabbitmq',
      'messaging.system': 'rabbitmq',
      'messaging.operation.name': 'publish',
      'messaging.operation.type': 'send',
      'messaging.destination.name': 'orders',
      'messaging.destination.template': 'orders.*',
      'messaging.destination.temporary': true,
      'messaging.message.id': '7',
      'messaging.message.conversation_id': 'c',
      'messaging.batch.message_count': 1,
      'messaging.client.id': 'me',
      'messaging.consumer.group.name': 'group',
      'messaging.destination.partition.id': '3',
      'server.address': 'broker',
      'server.port': 5672,
      'messaging.rabbitmq.destination.routing_key': 'key',
    });
  });

  it('cuts what is long, as it may come from anywhere', () => {
    const long = 'x'.repeat(10e6);
    recorder()
      .start(() => ({ ...SEND, destination: long, messageId: long }))
      ?.end();
    const { name, attributes } = telemetry.onlySpan();
    assert.equal(name.length, 'send '.length + 500);
    assert.equal(String(attributes['messaging.message.id']).length, 500);
  });

  it('links by default, under what is active', () => {
    const { parentSpanContext, links } = processed({}, [carrier(1)], HERE);
    assert.equal(parentSpanContext?.spanId, idOf(9));
    assert.deepEqual(
      links.map((link) => link.context.spanId),
      [idOf(1)],
    );
  });

  it('makes a child of the producer', () => {
    const { parentSpanContext, links } = processed({ consumerSpan: 'child' }, [carrier(1)], HERE);
    assert.deepEqual(
      [parentSpanContext?.spanId, parentSpanContext?.traceId],
      [idOf(1), traceOf(1)],
    );
    assert.deepEqual(links, []);
  });

  it('begins a trace, with a link', () => {
    const span = processed({ consumerSpan: 'root' }, [carrier(1)], HERE);
    assert.equal(span.parentSpanContext, undefined);
    assert.deepEqual(linkedTo(span), [idOf(1)]);
  });

  for (const consumerSpan of ['link', 'child', 'root'] as const) {
    it(`links a batch to each of its producers once: ${consumerSpan}`, () => {
      const carriers = [carrier(1), carrier(2), carrier(1), undefined, { traceparent: 'x' }];
      const span = processed({ consumerSpan }, carriers);
      assert.equal(span.parentSpanContext, undefined);
      assert.deepEqual(linkedTo(span).sort(), [idOf(1), idOf(2)]);
    });

    it(`runs a handler with the baggage of its message: ${consumerSpan}`, () => {
      const baggage = recorder({ consumerSpan })
        .startProcess(() => PROCESS, { carriers: [carrier(1)] })
        ?.run(() => propagation.getActiveBaggage(), undefined);
      assert.equal(baggage?.getEntry('shop')?.value, '1');
    });
  }

  it('links what is deferred, and makes a root of what has no producer', () => {
    const deferred = processed({ consumerSpan: 'child' }, [carrier(1)], ROOT_CONTEXT, true);
    assert.deepEqual([deferred.parentSpanContext, linkedTo(deferred)], [undefined, [idOf(1)]]);
    const orphan = processed({ consumerSpan: 'child' }, [undefined]);
    assert.deepEqual([orphan.parentSpanContext, orphan.links], [undefined, []]);
  });

  it('puts the context of the span into a message, and that of the caller where it has none', () => {
    const sent = recorder().start(() => SEND);
    sent?.end();
    const { spanId, traceId } = telemetry.onlySpan().spanContext();
    assert.equal(sent?.carrier()?.['traceparent'], `00-${traceId}-${spanId}-01`);
    const ignored = context.with(HERE, () => recorder({ ignore: () => true }).start(() => SEND));
    assert.equal(ignored?.carrier()?.['traceparent'], `00-${traceOf(9)}-${idOf(9)}-01`);
    assert.equal(
      recorder({ propagate: false })
        .start(() => SEND)
        ?.carrier(),
      undefined,
    );
  });

  it('carries on what is not sampled, without a span', () => {
    const unsampled = trace.setSpanContext(ROOT_CONTEXT, {
      traceId: traceOf(8),
      spanId: idOf(8),
      traceFlags: TraceFlags.NONE,
    });
    const sent = context.with(unsampled, () => recorder().start(() => SEND));
    const traceparent = sent?.carrier()?.['traceparent'] ?? '';
    sent?.end();
    assert.match(traceparent, new RegExp(`^00-${traceOf(8)}-[0-9a-f]{16}-00$`));
    const inside = recorder({ consumerSpan: 'child' })
      .startProcess(() => PROCESS, { carriers: [carrier(1, '00')] })
      ?.run(() => trace.getSpanContext(context.active()), undefined);
    assert.deepEqual([inside?.traceId, inside?.traceFlags], [traceOf(1), TraceFlags.NONE]);
    assert.deepEqual(telemetry.spans(), []);
  });

  it('leaves a handler alone that is ignored', () => {
    const ignoring = recorder({ ignore: ({ type }) => type === 'process' });
    assert.equal(
      ignoring.startProcess(() => PROCESS, { carriers: [carrier(1)] }),
      undefined,
    );
  });

  it('does nothing where nothing is recorded', () => {
    const inside = context.with(suppressTracing(ROOT_CONTEXT), () => recorder().start(() => SEND));
    assert.equal(inside, undefined);
    trace.disable();
    registerContextManager();
    assert.equal(
      recorder().start(() => SEND),
      undefined,
    );
  });

  it('carries on where `describe`, an option or a hook throws', () => {
    const fail = (): never => {
      throw new Error('no');
    };
    assert.equal(recorder().start(fail), undefined);
    assert.equal(
      recorder({ ignore: fail }).start(() => SEND),
      undefined,
    );
    recorder({ requestHook: fail, responseHook: fail })
      .start(() => SEND)
      ?.end();
    assert.equal(telemetry.onlySpan().name, 'send orders');
  });

  it('calls the hooks with the operation, the result and the error', () => {
    const calls: unknown[] = [];
    const hooked = recorder({
      spanName: (operation, proposed) => `${operation.system}: ${proposed}`,
      requestHook: (_span, operation) => calls.push(operation.type),
      responseHook: (_span, response) => calls.push(response),
    });
    hooked.start(() => SEND)?.end(undefined, 1);
    const error = new Error('no');
    hooked.start(() => SEND)?.end(error);
    const failed = { error, result: undefined };
    assert.deepEqual(calls, ['send', { error: undefined, result: 1 }, 'send', failed]);
    assert.equal(telemetry.spans()[0]?.name, 'kafka: send orders');
  });

  it('shows the message of an error of a handler, and of a library only its type', () => {
    const error = Object.assign(new Error('secret'), { code: 'ECONNREFUSED' });
    recorder()
      .start(() => SEND)
      ?.end(error);
    recorder()
      .startProcess(() => PROCESS, { carriers: [] })
      ?.end(new RangeError('shown'));
    const [send, process] = telemetry.spans();
    assert.equal(send?.attributes['error.type'], 'ECONNREFUSED');
    assert.doesNotMatch(JSON.stringify([send.events, send.status]), /secret/);
    assert.equal(process?.attributes['error.type'], 'RangeError');
    assert.equal(process.status.message, 'shown');
  });

  it('measures what is sent, delivered and worked on', async () => {
    const measure = registerMeasurements();
    recorder()
      .start(() => ({ ...SEND, batchSize: 3 }))
      ?.end();
    recorder()
      .start(() => ({ ...SEND, type: 'receive', batchSize: 2 }))
      ?.end();
    recorder()
      .startProcess(() => ({ ...PROCESS, isReceived: true }), { carriers: [] })
      ?.end();
    recorder()
      .startProcess(() => PROCESS, { carriers: [] })
      ?.end(new TypeError('no'));
    const [sent] = await measure('messaging.client.sent.messages');
    const consumed = await measure('messaging.client.consumed.messages');
    const durations = await measure('messaging.client.operation.duration');
    const processes = await measure('messaging.process.duration');
    assert.equal(sent?.value, 3);
    assert.deepEqual(sent.attributes, {
      'messaging.system.name': 'kafka',
      'messaging.operation.name': 'send',
      'messaging.operation.type': 'send',
      'messaging.destination.name': 'orders',
    });
    assert.deepEqual(consumed.map(({ value }) => value).sort(byText), [1, 2]);
    assert.equal(durations.length, 2);
    assert.deepEqual(processes.map(({ attributes }) => attributes['error.type']).sort(byText), [
      'TypeError',
      undefined,
    ]);
  });

  describe('runHandler', () => {
    const start = () => recorder().startProcess(() => PROCESS, { carriers: [] })!;

    it('returns what a handler returns, and the promise itself', async () => {
      assert.equal(
        runHandler(start(), () => 1),
        1,
      );
      const promise = Promise.resolve(2);
      assert.equal(
        runHandler(start(), () => promise),
        promise,
      );
      await promise;
      assert.equal(telemetry.spans().length, 2);
    });

    it('waits once for a thenable, whose work that starts', async () => {
      let started = 0;
      const lazy = {
        // oxlint-disable-next-line unicorn/no-thenable
        then: (resolve: (value: number) => void) => {
          started++;
          resolve(3);
        },
      };
      assert.equal(await runHandler(start(), () => lazy), 3);
      assert.equal(started, 1);
    });

    it('passes on what a handler throws and rejects with, also where that is nothing', async () => {
      const error = new Error('no');
      assert.throws(
        () =>
          runHandler(start(), () => {
            throw error;
          }),
        error,
      );
      await assert.rejects(
        runHandler(start(), () => Promise.reject(error)),
        error,
      );
      // oxlint-disable-next-line prefer-promise-reject-errors
      const nothing = runHandler(start(), () => Promise.reject());
      assert.equal(await nothing.catch((reason: unknown) => String(reason)), 'undefined');
      assert.deepEqual(
        telemetry.spans().map(({ status }) => status.code),
        [2, 2, 2],
      );
    });
  });
});
