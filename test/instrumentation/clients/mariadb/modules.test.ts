import assert from 'node:assert/strict';

import { requireService } from '../../../support/services.ts';
import { runApplication } from '../../support/application.ts';

const USE = `
  const { hostname: host, port, username: user, password, pathname } = new URL(process.env.URL);
  const options = { host, port: Number(port), user, password, database: pathname.slice(1), connectionLimit: 1 };
  const pool = promises.createPool(options);
  await pool.query('select ? as n', [1]);
  await pool.end();
  const connection = await promises.createConnection(options);
  await connection.query('select ? as n', [1]);
  await connection.end();
  const other = callbacks.createConnection(options);
  await new Promise((resolve) => other.query('select ? as n', [1], resolve));
  await new Promise((resolve) => other.end(resolve));
`;

const APPLICATIONS = {
  'an ES module': [
    'module',
    `import promises from 'mariadb'; import * as callbacks from 'mariadb/callback'; ${USE}`,
  ],
  'an ES module that imports functions': [
    'module',
    `import { createPool, createConnection } from 'mariadb'; import callbacks from 'mariadb/callback';
     const promises = { createPool, createConnection }; ${USE}`,
  ],
  'a CommonJS module': [
    'commonjs',
    `const promises = require('mariadb'); const callbacks = require('mariadb/callback');
     (async () => { ${USE} })();`,
  ],
} as const;

describe('mariadb in an application with the preload', function () {
  this.timeout(120_000);
  let url: string;

  before(async function () {
    url = await requireService(this, 'mariadb');
  });

  for (const [name, [kind, source]] of Object.entries(APPLICATIONS)) {
    it(`is instrumented in ${name}`, async () => {
      const spans = await runApplication(source, kind, { URL: url });
      assert.equal(spans.length, 3);
      for (const { attributes } of spans) {
        assert.equal(attributes['db.query.text'], 'select ? as n');
        assert.equal(attributes['db.system.name'], 'mariadb');
      }
    });
  }
});
