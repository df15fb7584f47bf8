import assert from 'node:assert/strict';

import { requireService } from '../../../support/services.ts';
import { runApplication } from '../../support/application.ts';

const USE = `
  const sql = postgres(process.env.URL, { max: 1 });
  await sql\`select \${1}::int\`;
  await sql.begin((transaction) => transaction\`select \${2}::int\`);
  await sql.end();
`;

const APPLICATIONS = {
  'an ES module': ['module', `import postgres from 'postgres'; ${USE}`],
  'a CommonJS module': [
    'commonjs',
    `const postgres = require('postgres'); (async () => { ${USE} })();`,
  ],
} as const;

describe('postgres in an application with the preload', function () {
  this.timeout(120_000);
  let url: string;

  before(async function () {
    url = await requireService(this, 'postgresql');
  });

  for (const [name, [kind, source]] of Object.entries(APPLICATIONS)) {
    it(`is instrumented in ${name}`, async () => {
      const spans = await runApplication(source, kind, { URL: url });
      assert.deepEqual(
        spans.map((span) => span.attributes['db.query.text']),
        ['select $1::int', 'begin ', 'select $1::int', 'commit'],
      );
      for (const { attributes } of spans) {
        assert.equal(attributes['server.port'], Number(new URL(url).port));
      }
    });
  }
});
