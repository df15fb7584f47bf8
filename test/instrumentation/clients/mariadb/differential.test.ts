import { once as onceEvent } from 'node:events';
import { createRequire } from 'node:module';
import assert from 'node:assert/strict';

import type promises from 'mariadb';
import type callbacks from 'mariadb/callback';
import type { Connection, Pool } from 'mariadb';

import {
  getInstrumentations,
  type Instrumentation,
} from '../../../../src/instrumentation/index.ts';
import { requireService } from '../../../support/services.ts';
import { called } from '../../support/callers.ts';
import { assertNoDifference, describeError } from '../../support/differential.ts';
import { registerTelemetry } from '../../support/telemetry.ts';
import { optionsOf } from './support.ts';

// What was required is found by an instrumentation that is enabled later.
const require = createRequire(import.meta.url);
const mariadb = require('mariadb') as typeof promises;
const callback = require('mariadb/callback') as typeof callbacks;

type Options = ReturnType<typeof optionsOf>;

const rejected = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => 'nothing',
    (error: unknown) => outcomeOf(error),
  );

/** Without the number of the connection, which is another one each time. */
const outcomeOf = (error: unknown): unknown =>
  JSON.parse(JSON.stringify(describeError(error)).replace(/conn:\d+|thread \d+|after \d+ms/g, '#'));

async function withConnection<Result>(
  options: Options,
  use: (connection: Connection) => Promise<Result>,
): Promise<Result> {
  const connection = await mariadb.createConnection(options);
  try {
    return await use(connection);
  } finally {
    await connection.end();
  }
}

async function withPool<Result>(
  options: Options,
  use: (pool: Pool) => Promise<Result>,
): Promise<Result> {
  const pool = mariadb.createPool({ ...options, connectionLimit: 1, acquireTimeout: 2000 });
  try {
    return await use(pool);
  } finally {
    await pool.end().catch(() => undefined);
  }
}

const SCENARIOS: Record<string, (options: Options) => Promise<unknown>> = {
  'results and their meta': (options) =>
    withConnection(options, async (connection) => {
      const rows = await connection.query<unknown[] & { meta: unknown[] }>('select ? as n', [1]);
      return [rows, Object.keys(rows), rows.meta.length];
    }),
  'no statement': (options) =>
    withConnection(options, (connection) => rejected(connection.query(undefined as never))),
  'a statement that is no text': (options) =>
    withConnection(options, async (connection) => {
      try {
        return await rejected(connection.query(null as never));
      } catch (error) {
        return outcomeOf(error);
      }
    }),
  'too few values': (options) =>
    withConnection(options, (connection) => rejected(connection.query('select ?, ?', [1]))),
  'options with getters': (options) =>
    withConnection(options, async (connection) => {
      const reads: string[] = [];
      const config = {
        get sql() {
          reads.push('sql');
          return 'select ? as n';
        },
        get values() {
          reads.push('values');
          return [1];
        },
      };
      return [await connection.query(config), reads];
    }),
  'frozen options': (options) =>
    withConnection(options, (connection) =>
      connection.execute(Object.freeze({ sql: 'select ? as n', values: [1] })),
    ),
  'the keys of the options': (options) =>
    withConnection(options, async (connection) => {
      const config = { sql: 'select ? as n', values: [1] };
      await connection.query(config);
      return Reflect.ownKeys(config);
    }),
  'the keys of a promise': (options) =>
    withConnection(options, async (connection) => {
      const promise = connection.query('select 1');
      await promise;
      return [Reflect.ownKeys(promise), promise.constructor === Promise];
    }),
  'a rejection that nobody handles': (options) =>
    withPool(options, async (pool) => {
      await pool.end();
      void pool.query('select 1');
      await new Promise((resolve) => setImmediate(resolve));
    }),
  'a callback that throws': (options) =>
    new Promise((resolve) => {
      const connection = callback.createConnection(options);
      connection.query('select 1', () => {
        connection.query('select 2', (_error, rows) => {
          connection.end(() => resolve(rows));
        });
        throw new Error('planted');
      });
    }),
  'a batch of nothing, of one and of what fails': (options) =>
    withConnection(options, async (connection) => [
      await rejected(connection.batch('do ?', [])),
      await connection.batch({ sql: 'select ?', bulk: false }, [[1]]),
      await rejected(connection.batch('select wrong, ?', [[1], [2]])),
    ]),
  'a statement of ten megabytes that is no SQL': (options) =>
    withConnection(options, (connection) =>
      rejected(connection.query('select \u0001 '.repeat(1_000_000))).then(
        (outcome) => (outcome as { code: unknown }).code,
      ),
    ),
  'a connection that is destroyed in the middle of a query': async (options) => {
    const connection = await mariadb.createConnection(options);
    const outcome = rejected(connection.query('select sleep(10)'));
    connection.destroy();
    return [await outcome, await rejected(connection.query('select 1'))];
  },
  'a connection that is killed in the middle of queries': async (options) => {
    const connection = await mariadb.createConnection(options);
    const errors: unknown[] = [];
    connection.on('error', (error: unknown) => errors.push(outcomeOf(error)));
    const killed = rejected(connection.query('select sleep(10)'));
    const behind = rejected(connection.query('select 1'));
    await withConnection(options, (other) => other.query(`kill ${connection.threadId}`));
    return [await killed, await behind, errors];
  },
  'a stream that is destroyed early': (options) =>
    withConnection(options, async (connection) => {
      const stream = connection.queryStream('select 1 union select 2');
      stream.once('data', () => stream.destroy());
      await onceEvent(stream, 'close');
      return [stream.listenerCount('data'), await connection.query('select 3 as n')];
    }),
  'a query on a connection that has ended': async (options) => {
    const connection = await mariadb.createConnection(options);
    await connection.end();
    return rejected(connection.query('select 1'));
  },
  'a pool that is ended with waiters': (options) =>
    withPool(options, async (pool) => {
      const connection = await pool.getConnection();
      const waiting = rejected(pool.query('select 1'));
      const ended = pool.end();
      await connection.release();
      return [await waiting, await ended, await rejected(pool.query('select 1'))];
    }),
  'a pool that cannot connect': async (options) => {
    const pool = mariadb.createPool({ ...options, database: 'nowhere', acquireTimeout: 200 });
    const outcome = (await rejected(pool.query('select 1'))) as { code: unknown };
    await pool.end();
    return outcome.code;
  },
  'a connection with callbacks that cannot connect': (options) => {
    const connection = callback.createConnection({ ...options, database: 'nowhere' });
    // The library never calls these back.
    connection.query('select 1', () => undefined);
    const emitter = connection as unknown as NodeJS.EventEmitter;
    return called((done) => emitter.once('connect', done)).then(([error]) => outcomeOf(error));
  },
};

describe('mariadb with the instrumentation and without it', () => {
  let options: Options;
  let instrumentation: Instrumentation;

  before(async function () {
    this.timeout(120_000);
    options = optionsOf(await requireService(this, 'mariadb'));
  });

  beforeEach(() => {
    instrumentation = getInstrumentations().find(
      ({ instrumentationName }) => instrumentationName === 'clew/mariadb',
    )!;
  });

  for (const [name, scenario] of Object.entries(SCENARIOS)) {
    it(`shows an application the same: ${name}`, async () => {
      await assertNoDifference(() => scenario(options), instrumentation);
    });
  }

  it('finds what was required before, once', async () => {
    const telemetry = registerTelemetry();
    const [second] = getInstrumentations().filter(
      ({ instrumentationName }) => instrumentationName === 'clew/mariadb',
    );
    instrumentation.enable();
    second!.enable();
    await withPool(options, (pool) => pool.query('select 1'));
    second!.disable();
    instrumentation.disable();
    assert.equal(telemetry.spans().length, 1);
    await withPool(options, (pool) => pool.query('select 1'));
    assert.equal(telemetry.spans().length, 1);
  });
});
