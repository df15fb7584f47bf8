import assert from 'node:assert/strict';
import { createHook } from 'node:async_hooks';

import mysql, { type Pool, type PoolConnection } from 'mysql';

import {
  getInstrumentations,
  type Instrumentation,
} from '../../../../src/instrumentation/index.ts';
import { requireService } from '../../../support/services.ts';
import { asCaller, called, caller } from '../../support/callers.ts';
import { registerContextManager, registerTelemetry } from '../../support/telemetry.ts';

describe('a pool of mysql', () => {
  let instrumentation: Instrumentation;
  let pool: Pool;

  before(async function () {
    this.timeout(120_000);
    const url = await requireService(this, 'mariadb');
    [instrumentation] = getInstrumentations().filter(
      ({ instrumentationName }) => instrumentationName === 'clew/mysql',
    ) as [Instrumentation];
    instrumentation.enable();
    pool = mysql.createPool(`${url}${url.includes('?') ? '&' : '?'}connectionLimit=1`);
  });

  beforeEach(() => registerContextManager());

  after(async () => {
    if (pool) await called((done) => pool.end(done));
    instrumentation?.disable();
  });

  /** The types of the async resources of this package that `fn` makes. */
  async function resourcesOf(fn: () => Promise<unknown>): Promise<string[]> {
    const types: string[] = [];
    const hook = createHook({
      init: (_asyncId, type) => void (type.startsWith('MYSQL_') && types.push(type)),
    }).enable();
    try {
      await fn();
    } finally {
      hook.disable();
    }
    return types;
  }

  it('is asked for a sign of life without an operation of its own', async () => {
    const query = (): Promise<unknown> =>
      asCaller('a', () =>
        called((done) => {
          pool.query('select 1', () => done(caller()));
        }),
      );
    await query();
    assert.deepEqual(await resourcesOf(query), ['MYSQL_POOL_QUERY']);
  });

  it('shows a text that is no own property of what it was given', async () => {
    const telemetry = registerTelemetry();
    class Statement {
      readonly values = [1];
      get sql(): string {
        return 'SELECT ? AS a FROM dual';
      }
    }
    await called((done) => pool.query(new Statement(), () => done()));
    const { name, attributes } = telemetry.onlySpan();
    assert.equal(name, 'SELECT dual');
    assert.equal(attributes['db.query.text'], new Statement().sql);
  });

  it('keeps the callers of those that wait for its only connection', async () => {
    const seen = await Promise.all(
      ['a', 'b', 'c'].map((name) =>
        asCaller(name, () =>
          called((done) => {
            pool.getConnection((_error, connection) => {
              connection.release();
              done(caller());
            });
          }),
        ),
      ),
    );
    assert.deepEqual(seen.flat(), ['a', 'b', 'c']);
  });

  it('keeps the caller of what a listener asks while another caller begins to wait', async () => {
    const [taken] = await called<[PoolConnection]>((done) => {
      pool.getConnection((_error, given) => done(given));
    });
    const pinged = called((done) => {
      pool.once('enqueue', () => taken.ping(() => done(caller())));
    });
    const waiting = asCaller('a', () =>
      called((done) => {
        pool.query('select 1', () => done());
      }),
    );
    assert.deepEqual(await pinged, ['a']);
    taken.release();
    await waiting;
  });

  it("keeps the caller of the user's own ping, which is one sequence", async () => {
    const [connection] = await called<[PoolConnection]>((done) => {
      pool.getConnection((_error, given) => done(given));
    });
    try {
      const ping = (): Promise<unknown> =>
        asCaller('a', async () => {
          const [name] = await called((done) => connection.ping(() => done(caller())));
          assert.equal(name, 'a');
        });
      assert.deepEqual(await resourcesOf(ping), ['MYSQL_SEQUENCE']);
    } finally {
      connection.release();
    }
  });
});
