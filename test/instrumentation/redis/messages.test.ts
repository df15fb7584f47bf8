import assert from 'node:assert/strict';

import {
  context,
  createContextKey,
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  trace,
  type Context,
  type Span,
} from '@opentelemetry/api';
import { W3CTraceContextPropagator } from '@opentelemetry/core';
import type { ReadableSpan } from '@opentelemetry/sdk-trace-base';
import * as ioredis from 'ioredis';
import * as iovalkey from 'iovalkey';
import * as redis6 from 'redis';
import * as redis4 from 'redis-4';

import { setLogLevel } from '../../../src/base/log.ts';
import { getInstrumentations, type ClientConfig } from '../../../src/instrumentation/index.ts';
import { captureStderr } from '../../support/capture-stderr.ts';
import { requireService } from '../../support/services.ts';
import { called } from '../support/callers.ts';
import { registerTelemetry, type Telemetry } from '../support/telemetry.ts';

type Listener = (message: string | Buffer) => unknown;

/** A connection that is subscribed, and one to publish by. */
interface Subscriber {
  publish(message: string): Promise<unknown>;
  /** What the client says of a listener that threw. */
  onError(listener: (error: unknown) => void): void;
  close(): void;
}

interface Library {
  client: 'redis' | 'ioredis';
  exports: object;
  subscribe(url: string, listener: Listener, pattern?: string): Promise<Subscriber>;
}

const CHANNEL = 'clew:messages';
const SECRET = 'secret-value';
const KEY = createContextKey('clew test');

const nodeRedis = (exports: typeof redis6): Library => ({
  client: 'redis',
  exports,
  async subscribe(url, listener, pattern) {
    const subscriber = await exports.createClient({ url }).connect();
    const publisher = await exports.createClient({ url }).connect();
    if (pattern) await subscriber.pSubscribe(pattern, listener, true);
    else await subscriber.subscribe(CHANNEL, listener);
    return {
      publish: (message) => publisher.publish(CHANNEL, message),
      onError: (heard) => void subscriber.on('error', heard),
      close: () => void [subscriber, publisher].map((client) => client.disconnect()),
    };
  },
});

const ioredisLike = (exports: typeof ioredis): Library => ({
  client: 'ioredis',
  exports,
  async subscribe(url, listener, pattern) {
    const subscriber = new exports.Redis(url);
    const publisher = new exports.Redis(url);
    if (pattern) {
      subscriber.on('pmessageBuffer', (_pattern, _channel, message) => listener(message));
      await subscriber.psubscribe(pattern);
    } else {
      subscriber.on(
        'message',
        listener.constructor.name === 'AsyncFunction'
          ? async (_channel, message) => listener(message)
          : (_channel, message) => listener(message),
      );
      await subscriber.subscribe(CHANNEL);
    }
    return {
      publish: (message) => publisher.publish(CHANNEL, message),
      onError: (heard) => void subscriber.on('error', heard),
      close: () => void [subscriber, publisher].map((client) => client.disconnect()),
    };
  },
});

const LIBRARIES: Record<string, Library> = {
  'redis 6': nodeRedis(redis6),
  'redis 4': nodeRedis(redis4 as unknown as typeof redis6),
  ioredis: ioredisLike(ioredis),
  iovalkey: ioredisLike(iovalkey as unknown as typeof ioredis),
};

const propagator = new W3CTraceContextPropagator();

/** What the publisher sends: its context beside its text. */
function payloadOf(span: Span): string {
  const carrier: Record<string, string> = {};
  propagator.inject(trace.setSpan(ROOT_CONTEXT, span), carrier, {
    set: (target, key, value) => void (target[key] = value),
  });
  return JSON.stringify({ ...carrier, text: SECRET });
}

const publisherContext: ClientConfig['publisherContext'] = ({ message }) =>
  propagator.extract(context.active(), JSON.parse(String(message)) as Record<string, string>, {
    get: (carrier, key) => carrier[key],
    keys: (carrier) => Object.keys(carrier),
  });

describe('spans of Redis messages', () => {
  let url: string;
  let telemetry: Telemetry;
  const undos: (() => void)[] = [];

  before(async function () {
    this.timeout(120_000);
    url = await requireService(this, 'redis');
  });

  beforeEach(() => {
    telemetry = registerTelemetry();
  });

  afterEach(() => {
    for (const undo of undos.splice(0).toReversed()) undo();
  });

  const instrument = ({ client, exports }: Library, config: ClientConfig): void => {
    const [own] = getInstrumentations({ [client]: config }).filter(
      ({ instrumentationName }) => instrumentationName === `clew/${client}`,
    );
    undos.push(own!.instrument(exports));
  };
  const consumers = (): ReadableSpan[] =>
    telemetry.spans().filter(({ kind }) => kind === SpanKind.CONSUMER);
  const startSpan = (name: string): Span => trace.getTracer('test').startSpan(name);
  const inside = (span: Span): Context =>
    trace.setSpan(ROOT_CONTEXT, span).setValue(KEY, 'registration');

  /** What `listen` sees of one message, published inside another span than it is registered in. */
  const deliver = async (
    library: Library,
    message: (publisher: Span) => string = payloadOf,
    pattern?: string,
  ): Promise<{ registration: Span; publisher: Span; active: Context; heard: unknown }> => {
    const [registration, publisher] = [startSpan('registration'), startSpan('publisher')];
    let active = ROOT_CONTEXT;
    let heard: unknown;
    let subscriber: Subscriber | undefined;
    let sent: Promise<unknown> | undefined;
    await called(async (done) => {
      subscriber = await context.with(inside(registration), () =>
        library.subscribe(
          url,
          (received) => {
            heard = String(received);
            active = context.active();
            // After the end of the listener's span.
            setImmediate(done);
          },
          pattern,
        ),
      );
      sent = subscriber.publish(message(publisher));
    });
    await sent;
    subscriber?.close();
    return { registration, publisher, active, heard };
  };

  for (const [name, library] of Object.entries(LIBRARIES)) {
    describe(name, () => {
      it('records a message in the trace of its registration, linked to its publisher', async () => {
        instrument(library, { publisherContext });
        const { registration, publisher, active } = await deliver(library);
        const [span, ...others] = consumers();
        assert.deepEqual(others, []);
        assert.equal(span?.name, `process ${CHANNEL}`);
        assert.equal(span.parentSpanContext?.spanId, registration.spanContext().spanId);
        assert.deepEqual(
          span.links.map((link) => link.context.spanId),
          [publisher.spanContext().spanId],
        );
        assert.equal(trace.getSpanContext(active)?.spanId, span.spanContext().spanId);
        assert.equal(active.getValue(KEY), 'registration');
        const { hostname, port } = new URL(url);
        const {
          'network.peer.address': _address,
          'network.peer.port': _port,
          ...attributes
        } = span.attributes;
        assert.deepEqual(attributes, {
          'messaging.system.name': 'redis',
          'messaging.operation.name': 'process',
          'messaging.operation.type': 'process',
          'messaging.destination.name': CHANNEL,
          'server.address': hostname,
          'server.port': Number(port),
        });
      });

      it('names a message that came by a pattern after it', async () => {
        instrument(library, { publisherContext });
        const { publisher } = await deliver(library, payloadOf, 'clew:mess*');
        const [span] = consumers();
        assert.equal(span?.name, 'process clew:mess*');
        assert.equal(span.attributes['messaging.destination.name'], CHANNEL);
        assert.equal(span.attributes['messaging.destination.template'], 'clew:mess*');
        assert.equal(span.links[0]?.context.spanId, publisher.spanContext().spanId);
      });

      it('has no link where the message does not name its publisher', async () => {
        instrument(library, { publisherContext });
        await deliver(library, () => '{}');
        assert.deepEqual(
          consumers().map(({ links }) => links),
          [[]],
        );
      });

      it('takes a span context for an answer, and no invalid one', async () => {
        const spanContext = { traceId: 'a'.repeat(32), spanId: 'b'.repeat(16), traceFlags: 1 };
        const answers = [spanContext, { ...spanContext, traceId: '0'.repeat(32) }, undefined];
        for (const answer of answers) {
          telemetry.reset();
          instrument(library, { publisherContext: () => answer });
          await deliver(library);
          const links = consumers().flatMap((span) => span.links.map((link) => link.context));
          assert.deepEqual(links, answer === spanContext ? [spanContext] : []);
          undos.pop()?.();
        }
      });

      it('records no messages by default', async () => {
        instrument(library, {});
        const { registration, active } = await deliver(library);
        assert.deepEqual(consumers(), []);
        assert.equal(trace.getSpanContext(active)?.spanId, registration.spanContext().spanId);
      });

      it('loses the link, and not the message, to a publisherContext that throws', async () => {
        instrument(library, {
          publisherContext: ({ message }) => JSON.parse(String(message)) as never,
        });
        const { heard } = await deliver(library, () => SECRET);
        await deliver(library, () => SECRET);
        assert.equal(heard, SECRET);
        assert.deepEqual(
          consumers().map(({ links }) => links),
          [[], []],
        );
      });

      it('ends with the promise of an async listener, which stays rejected', async () => {
        instrument(library, { publisherContext });
        const error = new TypeError(SECRET);
        const escaped: unknown[] = [];
        const listeners = process.listeners('unhandledRejection');
        process.removeAllListeners('unhandledRejection');
        let subscriber: Subscriber | undefined;
        let sent: Promise<unknown> | undefined;
        try {
          await called(async (done) => {
            process.on('unhandledRejection', (reason) => done(escaped.push(reason)));
            subscriber = await library.subscribe(url, async () => {
              await new Promise((resolve) => setImmediate(resolve));
              assert.deepEqual(consumers(), []);
              throw error;
            });
            sent = subscriber.publish(payloadOf(startSpan('publisher')));
          });
        } finally {
          process.removeAllListeners('unhandledRejection');
          for (const listener of listeners) process.on('unhandledRejection', listener);
          await sent;
          subscriber?.close();
        }
        assert.deepEqual(escaped, [error]);
        const [span] = consumers();
        assert.deepEqual(span?.status, { code: SpanStatusCode.ERROR });
        assert.equal(span.attributes['error.type'], 'TypeError');
        assert.ok(!JSON.stringify([span.attributes, span.events]).includes(SECRET));
      });

      it('reports that a listener threw, and lets its error pass', async () => {
        instrument(library, { publisherContext });
        const error = new RangeError(SECRET);
        const escaped: unknown[] = [];
        const listeners = process.listeners('uncaughtException');
        process.removeAllListeners('uncaughtException');
        let subscriber: Subscriber | undefined;
        let sent: Promise<unknown> | undefined;
        try {
          await called(async (done) => {
            const heard = (reason: unknown): void => done(escaped.push(reason));
            process.on('uncaughtException', heard);
            subscriber = await library.subscribe(url, () => {
              throw error;
            });
            subscriber.onError(heard);
            sent = subscriber.publish(payloadOf(startSpan('publisher')));
          });
        } finally {
          process.removeAllListeners('uncaughtException');
          for (const listener of listeners) process.on('uncaughtException', listener);
          await sent;
          subscriber?.close();
        }
        assert.deepEqual(escaped, [error]);
        const [span] = consumers();
        assert.deepEqual(span?.status, { code: SpanStatusCode.ERROR });
        assert.equal(span.attributes['error.type'], 'RangeError');
      });
    });
  }

  it('reports once that a publisherContext throws, without the message', () => {
    const library = LIBRARIES['ioredis']!;
    instrument(library, {
      publisherContext: ({ message }) => JSON.parse(String(message)) as never,
    });
    const redis = new ioredis.Redis({ lazyConnect: true });
    redis.on('message', () => undefined);
    const level = setLogLevel('error');
    try {
      const lines = captureStderr(() => {
        for (const message of [SECRET, `${SECRET}s`]) redis.emit('message', CHANNEL, message);
      });
      assert.deepEqual(lines, [
        'clew: your publisherContext threw (SyntaxError): the span of the message has no link.',
      ]);
    } finally {
      setLogLevel(level);
      redis.disconnect();
    }
  });

  it('leaves a promise alone that a listener returns and other code may hold', async () => {
    const library = LIBRARIES['ioredis']!;
    instrument(library, { publisherContext });
    const redis = new ioredis.Redis({ lazyConnect: true });
    const held = Promise.reject(new Error('held by the application'));
    redis.on('message', () => held);
    redis.emit('message', CHANNEL, '{}');
    assert.equal(consumers().length, 1);
    // Were it watched, what comes of the watching would be rejected, too, and end the process.
    await assert.rejects(held);
    redis.disconnect();
  });

  describe('of a cluster', () => {
    let clusterUrl: string;

    before(async function () {
      this.timeout(120_000);
      clusterUrl = await requireService(this, 'redis-cluster');
    });

    it('records a message that the cluster passes on once', async () => {
      instrument(LIBRARIES['ioredis']!, { publisherContext });
      const registration = startSpan('registration');
      const [subscriber, publisher] = [0, 1].map(() => new ioredis.Cluster([clusterUrl]));
      const heard = called((done) =>
        context.with(inside(registration), () => subscriber!.once('message', () => done())),
      );
      await subscriber!.subscribe(CHANNEL);
      await publisher!.publish(CHANNEL, payloadOf(startSpan('publisher')));
      await heard;
      await Promise.all([subscriber!.quit(), publisher!.quit()]);
      assert.deepEqual(
        consumers().map(({ parentSpanContext }) => parentSpanContext?.spanId),
        [registration.spanContext().spanId],
      );
    });
  });
});
