import assert from 'node:assert/strict';

import type { Client } from 'pg';

import {
  getInstrumentations,
  type Instrumentation,
} from '../../../../src/instrumentation/index.ts';
import { requireNative } from '../../../support/native-modules.ts';
import { requireService } from '../../../support/services.ts';
import type { Form } from '../../matrix/form.ts';
import { describeForms } from '../../matrix/suite.ts';
import { called } from '../../support/callers.ts';
import { registerTelemetry } from '../../support/telemetry.ts';
import { pgSettings, type PgModule } from './forms.ts';

const NATIVE = { name: 'pg-native', version: '3.9.0', addOn: 'libpq', beside: ['pg@8.23.1'] };

// Cursors and streams speak pg's own protocol, and libpq keeps its notices to itself.
const UNABLE = /cursor|stream|notice/;

const notification: Form<Client> = {
  name: 'notification',
  run: async (client, note) => {
    const notified = called((done) =>
      client.once('notification', () => {
        note('notification');
        done();
      }),
    );
    await client.query('listen clew; notify clew');
    await notified;
  },
};

describe('pg.native', () => {
  let pg: PgModule;
  let instrumentation: Instrumentation;
  let url: string;

  before(async function () {
    url = await requireService(this, 'postgresql');
    pg = (requireNative(this, NATIVE)('pg') as { native: PgModule }).native;
    [instrumentation] = getInstrumentations() as [Instrumentation];
    // What was required is found by an instrumentation that is enabled later.
    instrumentation.enable();
  });

  after(() => instrumentation?.disable());

  const lazy = <Key extends keyof PgModule>(key: Key): PgModule[Key] =>
    new Proxy(class {} as unknown as PgModule[Key], {
      construct: (_target, args) => Reflect.construct(pg[key], args) as object,
    });
  const settings = pgSettings({ Client: lazy('Client'), Pool: lazy('Pool'), Query: lazy('Query') });

  describeForms(
    {
      client: 'pg',
      service: 'postgresql',
      settings: settings.map((setting) => ({
        ...setting,
        forms: [
          ...setting.forms.filter(({ name }) => !UNABLE.test(name)),
          ...(setting.name === 'one client' ? [notification] : []),
        ],
      })),
    },
    ' native',
  );

  it('gives the code and the message of an error without its values', async () => {
    const telemetry = registerTelemetry();
    const client = new pg.Client(url);
    await client.connect();
    await assert.rejects(client.query('select $1::int', ['planted']), /planted/);
    await client.end();
    const { attributes, status } = telemetry.onlySpan();
    assert.equal(attributes['db.response.status_code'], '22P02');
    assert.equal(status.message, 'invalid input syntax for type integer: ?');
    assert.equal(attributes['db.query.text'], 'select $1::int');
    assert.equal(attributes['db.namespace'], 'postgres');
  });

  it('keeps the callers of a pipeline apart', async () => {
    const telemetry = registerTelemetry();
    const client = new pg.Client({ connectionString: url, pipeline: true } as object);
    await client.connect();
    const results = await Promise.allSettled([
      client.query('select $1::int as n', [1]),
      client.query('select wrong'),
      client.query('select 3 as n'),
    ]);
    await client.end();
    assert.deepEqual(
      results.map(({ status }) => status),
      ['fulfilled', 'rejected', 'fulfilled'],
    );
    assert.deepEqual(
      // The library gives an error in a pipeline no code.
      telemetry.spans().map(({ attributes }) => attributes['error.type']),
      [undefined, 'Error', undefined],
    );
  });
});
