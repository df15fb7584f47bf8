import assert from 'node:assert/strict';

import { requireService } from '../../support/services.ts';
import { runApplication } from '../support/application.ts';

const USE = `
  const redis = new Redis(process.env.URL);
  await redis.set('clew:a', 'secret-value');
  redis.disconnect();
  const client = createClient({ url: process.env.URL });
  await client.connect();
  await client.set('clew:a', 'secret-value');
  client.destroy();
  const pool = createClientPool({ url: process.env.URL });
  await pool.connect();
  await pool.set('clew:a', 'secret-value');
  pool.destroy();
`;

const APPLICATIONS = {
  'an ES module': [
    'module',
    `import { Redis } from 'ioredis'; import { createClient, createClientPool } from 'redis'; ${USE}`,
  ],
  'a CommonJS module': [
    'commonjs',
    `const Redis = require('ioredis'); const { createClient, createClientPool } = require('redis');
     (async () => { ${USE} })();`,
  ],
} as const;

describe('Redis clients in an application with the preload', function () {
  this.timeout(120_000);
  let url: string;

  before(async function () {
    url = await requireService(this, 'redis');
  });

  for (const [name, [kind, source]] of Object.entries(APPLICATIONS)) {
    it(`are instrumented in ${name}`, async () => {
      const spans = await runApplication(source, kind, { URL: url });
      assert.deepEqual(
        spans.map(({ attributes }) => attributes['db.query.text']),
        ['set clew:a ?', 'SET clew:a ?', 'SET clew:a ?'],
      );
    });
  }
});
