import assert from 'node:assert/strict';
import { once } from 'node:events';

import { context, ROOT_CONTEXT } from '@opentelemetry/api';
import { Client, Pool, Query, type QueryConfig } from 'pg';

import {
  getInstrumentations,
  type Instrumentation,
} from '../../../../src/instrumentation/index.ts';
import { messageOf } from '../../../../src/base/errors.ts';
import { requireService } from '../../../support/services.ts';
import { called } from '../../support/callers.ts';
import { registerTelemetry, type Telemetry } from '../../support/telemetry.ts';

/** What an application can see of a call that goes wrong, or of an odd argument. */
type Scenario = (client: Client, url: string) => unknown;

const thrown = (fn: () => unknown): string => {
  try {
    fn();
  } catch (error) {
    return messageOf(error);
  }
  return 'nothing';
};

const rejected = async (promise: Promise<unknown>): Promise<string> => {
  const outcome = await promise.then(() => 'nothing', messageOf);
  return outcome;
};

const SCENARIOS: Record<string, Scenario> = {
  'no query': (client) => thrown(() => client.query(null as never)),
  'a callback that is no function': (client) =>
    thrown(() => client.query({ text: 'select 1', callback: 1 } as never)),
  'a query without text': (client) => rejected(client.query({} as QueryConfig)),
  'values that are no list': (client) =>
    rejected(client.query({ text: 'select $1', values: 'x' } as never)),
  'a value that cannot be prepared': (client) => {
    const circular: { self?: unknown } = {};
    circular.self = circular;
    return rejected(client.query('select $1', [circular])).then((message) => message.slice(0, 40));
  },
  'a frozen config with a callback': (client) =>
    thrown(() =>
      (client.query as (...args: unknown[]) => unknown)(
        Object.freeze({ text: 'select 1' }),
        () => 0,
      ),
    ),
  'a config with getters': async (client) => {
    const reads: string[] = [];
    const config = {
      get text() {
        reads.push('text');
        return 'select $1::int as n';
      },
      get values() {
        reads.push('values');
        return [1];
      },
    };
    const { rows } = await client.query(config);
    return [reads, rows];
  },
  'a getter that throws': (client) =>
    thrown(() =>
      client.query({
        get text(): string {
          throw new Error('planted');
        },
      }),
    ),
  'a config that is used twice': async (client) => {
    const callback = (): void => undefined;
    const config: Record<string, unknown> = { text: 'select 1 as n' };
    await called((done) => {
      (client.query as (...args: unknown[]) => unknown)(config, (...args: never[]) => {
        callback();
        done(...args);
      });
    });
    const written = Object.keys(config);
    return [written, typeof config['callback'], Object.getOwnPropertySymbols(config)];
  },
  'the keys of a query object of the user': async (client) => {
    const query = client.query(new Query('select 1'));
    await once(query, 'end');
    return Reflect.ownKeys(query).map(String);
  },
  'the keys of a promise': async (client) => {
    const promise = client.query('select 1');
    await promise;
    return [Reflect.ownKeys(promise), promise.constructor === Promise];
  },
  'two results of one text': async (client) => {
    const results = (await client.query('select 1 as a; select 2 as b')) as unknown as {
      rows: unknown[];
    }[];
    return results.map(({ rows }) => rows);
  },
  'a connection that is destroyed in the middle of a query': async (_client, url) => {
    const client = new Client(url);
    client.on('error', () => undefined);
    await client.connect();
    const query = rejected(client.query('select pg_sleep(10)'));
    const { stream } = (client as unknown as { connection: { stream: { destroy(): void } } })
      .connection;
    stream.destroy();
    return query;
  },
  'a query on a client that has ended': async (_client, url) => {
    const client = new Client(url);
    await client.connect();
    await client.end();
    return rejected(client.query('select 1'));
  },
  'a pool that is ended with waiters': async (_client, url) => {
    const pool = new Pool({ connectionString: url, max: 1 });
    const client = await pool.connect();
    let waited = 'for ever';
    pool.query('select 1').then(
      () => (waited = 'for a result'),
      (error: unknown) => (waited = messageOf(error)),
    );
    const ended = pool.end();
    client.release();
    await ended;
    const refused = await rejected(pool.query('select 1'));
    return [waited, refused];
  },
  'a text of ten million characters that is no SQL': (client) =>
    rejected(client.query('select \u0001 '.repeat(1_000_000))).then((text) => text.slice(0, 30)),
};

describe('pg with the instrumentation and without it', () => {
  let url: string;
  let instrumentation: Instrumentation;
  let telemetry: Telemetry;

  before(async function () {
    this.timeout(120_000);
    url = await requireService(this, 'postgresql');
    [instrumentation] = getInstrumentations() as [Instrumentation];
  });

  afterEach(() => instrumentation.disable());

  const run = async (scenario: Scenario): Promise<unknown> => {
    const client = new Client(url);
    await client.connect();
    try {
      return await scenario(client, url);
    } finally {
      await client.end();
    }
  };

  // A context in use has some versions of Node mark every promise, with and without us.
  const runInContext = (scenario: Scenario): Promise<unknown> =>
    context.with(ROOT_CONTEXT, run, undefined, scenario);

  for (const [name, scenario] of Object.entries(SCENARIOS)) {
    it(`shows an application the same: ${name}`, async () => {
      telemetry = registerTelemetry();
      const bare = await runInContext(scenario);
      instrumentation.enable();
      const instrumented = await runInContext(scenario);
      assert.deepEqual(instrumented, bare);
      assert.doesNotMatch(JSON.stringify(telemetry.spans().map(({ status }) => status)), /planted/);
    });
  }

  it('ends the span of a query whose connection is destroyed', async () => {
    telemetry = registerTelemetry();
    instrumentation.enable();
    await run(SCENARIOS['a connection that is destroyed in the middle of a query']!);
    assert.equal(telemetry.onlySpan().attributes['error.type'], 'Error');
  });

  it('ends the span of a query that is refused', async () => {
    telemetry = registerTelemetry();
    instrumentation.enable();
    await run(SCENARIOS['a query on a client that has ended']!);
    assert.equal(telemetry.onlySpan().attributes['db.query.text'], 'select ?');
  });

  it('leaves the classes of pg as they were when it is disabled', () => {
    const shapes = (): unknown =>
      [Client.prototype, Query.prototype, Object.getPrototypeOf(Pool.prototype) as object].map(
        (prototype) => Object.getOwnPropertyDescriptors(prototype),
      );
    const before = shapes();
    instrumentation.enable();
    assert.notDeepEqual(shapes(), before);
    instrumentation.disable();
    assert.deepEqual(shapes(), before);
  });

  it('makes one span where two instrumentations are enabled', async () => {
    telemetry = registerTelemetry();
    const [second] = getInstrumentations() as [Instrumentation];
    instrumentation.enable();
    second.enable();
    await run((client) => client.query('select 1'));
    second.disable();
    assert.equal(telemetry.spans().length, 1);
  });
});
