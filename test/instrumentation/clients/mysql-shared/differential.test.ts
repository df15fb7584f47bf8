import { createRequire } from 'node:module';

import { messageOf } from '../../../../src/base/errors.ts';
import { getInstrumentations } from '../../../../src/instrumentation/index.ts';
import { requireService } from '../../../support/services.ts';
import { assertNoDifference, describeError } from '../../support/differential.ts';

/** What `mysql` and `mysql2` have in common, as an application uses it. */
type Callback = (error: unknown, rows?: unknown) => void;
interface Connection {
  query(...args: unknown[]): object;
  destroy(): void;
  end(callback?: Callback): void;
  on(event: string, listener: () => void): unknown;
  release(): void;
}
interface Pool {
  query(...args: unknown[]): object;
  getConnection(callback: (error: unknown, connection: Connection) => void): void;
  end(callback?: Callback): void;
}
interface Client {
  createConnection(config: unknown): Connection;
  createPool(config: unknown): Pool;
}

const require = createRequire(import.meta.url);

/** The first answer of `ask`: rows, or the error as an application sees it. */
const answer = (ask: (callback: Callback) => void): Promise<unknown> =>
  new Promise((resolve) => {
    ask((error, rows) => resolve(error ? describeError(error) : plain(rows)));
  });

/** Rows without their classes, which differ from query to query. */
const plain = (rows: unknown): unknown => JSON.parse(JSON.stringify(rows ?? null)) as unknown;

const thrown = (fn: () => unknown): string => {
  try {
    fn();
  } catch (error) {
    return messageOf(error);
  }
  return 'nothing';
};

type Scenario = (connection: Connection, client: Client, url: string) => unknown;

const SCENARIOS: Record<string, Scenario> = {
  'no query': (connection) => thrown(() => connection.query(null)),
  'a callback that throws': (connection) =>
    new Promise((resolve) => {
      connection.query('select 1', () => {
        setImmediate(() => {
          connection.query('select 2 as n', (error: unknown, rows: unknown) =>
            resolve([messageOf(error), plain(rows)]),
          );
        });
        throw new Error('planted');
      });
    }),
  'an error in the statement': (connection) =>
    answer((callback) => connection.query('selec 1', callback)),
  'a text of ten million characters that is no SQL': async (connection) => {
    const { message } = (await answer((callback) =>
      connection.query('select \u0001 '.repeat(1_000_000), callback),
    )) as { message: string };
    return message.slice(0, 30);
  },
  'a frozen query object': (connection) =>
    answer((callback) =>
      connection.query(Object.freeze({ sql: 'select ? as n', values: [1] }), callback),
    ),
  'a query object with getters': async (connection) => {
    const reads: string[] = [];
    const query = {
      get sql() {
        reads.push('sql');
        return 'select ? as n';
      },
      get values() {
        reads.push('values');
        return [1];
      },
    };
    const rows = await answer((callback) => connection.query(query, callback));
    return [rows, reads];
  },
  'the keys of a query object that is used twice': async (connection) => {
    const query = { sql: 'select ? as n' };
    const ask = (): Promise<unknown> =>
      answer((callback) => connection.query(query, [1], callback));
    return [await ask(), await ask(), Reflect.ownKeys(query).map(String)];
  },
  'a connection that is destroyed in the middle of a query': async (_connection, client, url) => {
    const connection = client.createConnection(url);
    connection.on('error', () => undefined);
    await answer((callback) => connection.query('select 1', callback));
    let told: unknown = 'nothing';
    connection.query('select sleep(10)', (error: unknown) => (told = describeError(error)));
    await new Promise((resolve) => setImmediate(resolve));
    connection.destroy();
    await new Promise((resolve) => setTimeout(resolve, 50));
    return told;
  },
  'a query on a connection that has ended': async (_connection, client, url) => {
    const connection = client.createConnection(url);
    await answer((callback) => connection.query('select 1', callback));
    await answer((callback) => connection.end(callback));
    return answer((callback) => connection.query('select 1', callback));
  },
  'a pool that is ended with waiters': async (_connection, client, url) => {
    const pool = client.createPool(`${url}?connectionLimit=1`);
    const connection = await new Promise<Connection>((resolve) => {
      pool.getConnection((_error, got) => resolve(got));
    });
    const waiting = answer((callback) => pool.query('select 1', callback));
    pool.end(() => undefined);
    connection.destroy();
    return [await waiting, await answer((callback) => pool.query('select 1', callback))];
  },
  'a pool that cannot connect': (_connection, client) => {
    const pool = client.createPool({ host: '127.0.0.1', port: 1, user: 'nobody' });
    return answer((callback) => pool.query('select 1', callback));
  },
};

for (const name of ['mysql', 'mysql2']) {
  describe(`${name} with the instrumentation and without it`, () => {
    let url: string;

    before(async function () {
      this.timeout(120_000);
      url = await requireService(this, 'mariadb');
    });

    for (const [title, scenario] of Object.entries(SCENARIOS)) {
      it(`shows an application the same: ${title}`, async () => {
        const client = require(name) as Client;
        const instrumentation = getInstrumentations().find(
          ({ instrumentationName }) => instrumentationName === `clew/${name}`,
        )!;
        await assertNoDifference(async () => {
          const connection = client.createConnection(url);
          // One that is destroyed before it is there fails in its own ways.
          await answer((callback) => connection.query('select 1', callback));
          try {
            return await scenario(connection, client, url);
          } finally {
            connection.destroy();
          }
        }, instrumentation);
      });
    }
  });
}
