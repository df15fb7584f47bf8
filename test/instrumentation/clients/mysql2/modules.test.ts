import assert from 'node:assert/strict';

import { requireService } from '../../../support/services.ts';
import { runApplication } from '../../support/application.ts';

const USE = `
  for (const library of [mysql2, mysql]) {
    const pool = library.createPool(process.env.URL);
    await new Promise((resolve) => pool.query('select ? as n', [1], resolve));
    await new Promise((resolve) => pool.end(resolve));
  }
`;

const APPLICATIONS = {
  'an ES module': ['module', `import mysql2 from 'mysql2'; import mysql from 'mysql'; ${USE}`],
  'an ES module with promises': [
    'module',
    `import { createPool } from 'mysql2/promise'; import { createConnection } from 'mysql';
     const pool = createPool(process.env.URL);
     await pool.query('select ? as n', [1]);
     await pool.end();
     const connection = createConnection(process.env.URL);
     await new Promise((resolve) => connection.query('select ? as n', [1], resolve));
     await new Promise((resolve) => connection.end(resolve));`,
  ],
  'a CommonJS module': [
    'commonjs',
    `const mysql2 = require('mysql2'); const mysql = require('mysql'); (async () => { ${USE} })();`,
  ],
} as const;

describe('mysql2 and mysql in an application with the preload', function () {
  this.timeout(120_000);
  let url: string;

  before(async function () {
    url = await requireService(this, 'mariadb');
  });

  for (const [name, [kind, source]] of Object.entries(APPLICATIONS)) {
    it(`are instrumented in ${name}`, async () => {
      const spans = await runApplication(source, kind, { URL: url });
      assert.equal(spans.length, 2);
      for (const { attributes } of spans) {
        assert.equal(attributes['db.query.text'], 'select ? as n');
      }
    });
  }
});
