import assert from 'node:assert/strict';

import { requireService } from '../../../support/services.ts';
import { runApplication } from '../../support/application.ts';

const USE = `
  const client = new Memcached(process.env.URL);
  client.set('clew:a', 'secret-value', 10, () => client.get('clew:a', () => client.end()));
`;

const APPLICATIONS = {
  'an ES module': ['module', `import Memcached from 'memcached'; ${USE}`],
  'a CommonJS module': ['commonjs', `const Memcached = require('memcached'); ${USE}`],
} as const;

describe('memcached in an application with the preload', function () {
  this.timeout(120_000);
  let url: string;

  before(async function () {
    url = await requireService(this, 'memcached');
  });

  for (const [name, [kind, source]] of Object.entries(APPLICATIONS)) {
    it(`is instrumented in ${name}`, async () => {
      const spans = await runApplication(source, kind, { URL: url.replace('memcached://', '') });
      assert.deepEqual(
        spans.map(({ attributes }) => attributes['db.query.text']),
        ['set clew:a ?', 'get clew:a'],
      );
    });
  }
});
