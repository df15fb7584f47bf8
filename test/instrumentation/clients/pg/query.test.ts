import assert from 'node:assert/strict';

import { SpanKind, SpanStatusCode } from '@opentelemetry/api';
import { Client, Pool, type QueryConfig } from 'pg';
import QueryStream from 'pg-query-stream';

import {
  getInstrumentations,
  type Instrumentation,
} from '../../../../src/instrumentation/index.ts';
import { requireService } from '../../../support/services.ts';
import { asCaller, called, caller } from '../../support/callers.ts';
import { registerTelemetry, type Telemetry } from '../../support/telemetry.ts';

const CALLERS = ['a', 'b', 'c'];

describe('pg', () => {
  let url: string;
  let instrumentation: Instrumentation;
  let telemetry: Telemetry;

  before(async function () {
    this.timeout(120_000);
    url = await requireService(this, 'postgresql');
  });

  beforeEach(() => {
    telemetry = registerTelemetry();
    [instrumentation] = getInstrumentations() as [Instrumentation];
    instrumentation.enable();
  });

  afterEach(() => {
    instrumentation.disable();
  });

  const withClient = async (fn: (client: Client) => Promise<void>): Promise<void> => {
    const client = new Client(url);
    await client.connect();
    try {
      await fn(client);
    } finally {
      await client.end();
    }
  };

  const withPool = async (fn: (pool: Pool) => Promise<void>): Promise<void> => {
    const pool = new Pool({ connectionString: url, max: 1 });
    try {
      await fn(pool);
    } finally {
      await pool.end();
    }
  };

  it('records a query as one CLIENT span with the attributes of the connection', async () => {
    await withClient(async (client) => {
      await client.query('select $1::int as n', [1]);
      const span = telemetry.onlySpan();
      const { hostname, port } = new URL(url);
      assert.equal(span.kind, SpanKind.CLIENT);
      assert.deepEqual(span.attributes, {
        'db.system.name': 'postgresql',
        'db.namespace': 'postgres',
        'db.query.summary': 'select',
        'db.query.text': 'select $1::int as n',
        'server.address': hostname,
        'server.port': Number(port),
        'network.peer.address': '127.0.0.1',
        'network.peer.port': Number(port),
      });
    });
  });

  it('records how a query failed without the values it was given', async () => {
    await withClient(async (client) => {
      await assert.rejects(client.query("select 'secret-value'::int"));
      const span = telemetry.onlySpan();
      assert.deepEqual(span.status, {
        code: SpanStatusCode.ERROR,
        message: 'invalid input syntax for type integer: ?',
      });
      assert.equal(span.attributes['error.type'], '22P02');
      assert.equal(span.attributes['db.response.status_code'], '22P02');
      assert.doesNotMatch(JSON.stringify([span.attributes, span.status, span.events]), /secret/);
    });
  });

  it('shows no message that a function in the database wrote', async () => {
    await withClient(async (client) => {
      await assert.rejects(client.query("do $$ begin raise exception 'for Alice'; end $$"));
      assert.equal(telemetry.onlySpan().status.message, 'P0001');
    });
  });

  it('shows the text of a stream, which only the cursor in it knows', async () => {
    await withClient(async (client) => {
      const text = 'SELECT relname FROM pg_class WHERE relpages = $1 LIMIT 1';
      const stream = client.query(new QueryStream(text, [0]));
      for await (const _row of stream);
      const span = telemetry.onlySpan();
      assert.equal(span.name, 'SELECT pg_class');
      assert.equal(span.attributes['db.query.text'], text);
    });
  });

  it('names the span by the summary and shows the text without literals', async () => {
    await withClient(async (client) => {
      await client.query("select relname from pg_class where relname = 'secret'");
      const { name, attributes } = telemetry.onlySpan();
      assert.equal(name, 'select pg_class');
      assert.equal(attributes['db.query.summary'], 'select pg_class');
      assert.equal(attributes['db.query.text'], 'select relname from pg_class where relname = ?');
    });
  });

  it('records pool.query as one span with its wait', async () => {
    await withPool(async (pool) => {
      await pool.query('select 1');
      await pool.query('select 2');
      assert.equal(telemetry.spans().length, 2);
      for (const { attributes } of telemetry.spans()) {
        assert.equal(attributes['server.address'], '127.0.0.1');
        assert.equal(typeof attributes['clew.pool.wait.ms'], 'number');
      }
    });
  });

  type Form = (target: Client | Pool, note: (place: string) => void) => Promise<unknown>;
  const forms: Record<string, Form> = {
    callback: (target, note) =>
      called((done) =>
        target.query('select 1', () => {
          note('callback');
          done();
        }),
      ),
    'callback in a config': (target, note) =>
      called((done) => {
        const callback = (): void => {
          note('callback');
          done();
        };
        // Of a pool the callback in a config is not called; that is how pg has it.
        if (target instanceof Pool) target.query({ text: 'select 1' }, callback);
        else void target.query({ text: 'select 1', callback } as QueryConfig);
      }),
    promise: async (target, note) => {
      await target.query('select $1::int', [1]);
      note('continuation');
    },
    rejection: async (target, note) => {
      await target.query('select wrong').catch(() => note('catch'));
      note('continuation');
    },
  };

  for (const [form, call] of Object.entries(forms)) {
    for (const [kind, withTarget] of [
      ['client', withClient],
      ['pool of one', withPool],
    ] as const) {
      for (const withSpan of [true, false]) {
        const given = withSpan ? 'a span' : 'only a key';
        it(`gives each caller its own context: ${form}, ${kind}, ${given}`, async () => {
          const places: string[] = [];
          await withTarget(async (target: Client | Pool) => {
            await Promise.all(
              CALLERS.map((name) =>
                asCaller(
                  name,
                  () => call(target, (place) => places.push(`${place} of ${name}: ${caller()}`)),
                  { withSpan },
                ),
              ),
            );
          });
          for (const place of places) assert.match(place, /of (\w): \1$/);
          assert.ok(places.length >= CALLERS.length);
          assertOneSpanEach(telemetry, withSpan);
        });
      }
    }
  }
});

/** Each caller has one query span, and it is in that caller's trace. */
function assertOneSpanEach(telemetry: Telemetry, withSpan: boolean): void {
  const spans = telemetry.spans();
  const queries = spans.filter(({ kind }) => kind === SpanKind.CLIENT);
  assert.equal(queries.length, CALLERS.length);
  if (!withSpan) return;
  for (const name of CALLERS) {
    const span = spans.find((candidate) => candidate.name === `caller ${name}`);
    const own = queries.filter(
      ({ parentSpanContext }) => parentSpanContext?.spanId === span?.spanContext().spanId,
    );
    assert.equal(own.length, 1);
  }
}
