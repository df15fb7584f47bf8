import assert from 'node:assert/strict';

import { requireService } from '../../../support/services.ts';
import { runApplication } from '../../support/application.ts';

const USE = `
  const pool = new Pool({ connectionString: process.env.URL });
  await pool.query('select $1::int', [1]);
  const client = new Client(process.env.URL);
  await client.connect();
  await client.query('select $1::int', [2]);
  await new Promise((resolve) => client.query(new Cursor('select $1::int', [3])).read(9, resolve));
  await pool.end();
  await client.end();
`;

const APPLICATIONS = {
  'an ES module with named imports': [
    'module',
    `import { Client, Pool } from 'pg'; import Cursor from 'pg-cursor'; ${USE}`,
  ],
  'an ES module with default imports': [
    'module',
    `import pg from 'pg'; import Pool from 'pg-pool'; import Cursor from 'pg-cursor';
     const { Client } = pg; ${USE}`,
  ],
  'a CommonJS module': [
    'commonjs',
    `const { Client, Pool } = require('pg'); const Cursor = require('pg-cursor');
     (async () => { ${USE} })();`,
  ],
} as const;

describe('pg in an application with the preload', function () {
  this.timeout(120_000);
  let url: string;

  before(async function () {
    url = await requireService(this, 'postgresql', { embedded: true });
  });

  for (const [name, [kind, source]] of Object.entries(APPLICATIONS)) {
    it(`is instrumented in ${name}`, async () => {
      const spans = await runApplication(source, kind, { URL: url });
      assert.equal(spans.length, 3);
      for (const { attributes } of spans)
        assert.equal(attributes['db.query.text'], 'select $1::int');
    });
  }
});
