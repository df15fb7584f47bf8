import assert from 'node:assert/strict';

import { runApplication } from '../../support/application.ts';

const USE = `
  const db = new PGlite({ loadDataDir: await dataDir() });
  await db.query('select $1::int', [1]);
  await db.close();
`;

const APPLICATIONS = {
  'an ES module': [
    'module',
    `import { PGlite } from '@electric-sql/pglite';
     import { dataDir } from '@electric-sql/pglite-prepopulatedfs'; ${USE}`,
  ],
  'a CommonJS module': [
    'commonjs',
    `const { PGlite } = require('@electric-sql/pglite'); (async () => {
       const { dataDir } = await import('@electric-sql/pglite-prepopulatedfs'); ${USE} })();`,
  ],
} as const;

describe('PGlite in an application with the preload', function () {
  this.timeout(120_000);

  for (const [name, [kind, source]] of Object.entries(APPLICATIONS)) {
    it(`is instrumented in ${name}, without its own queries`, async () => {
      const spans = await runApplication(source, kind, {});
      assert.deepEqual(
        spans.map(({ attributes }) => attributes['db.query.text']),
        ['select $1::int'],
      );
    });
  }
});
