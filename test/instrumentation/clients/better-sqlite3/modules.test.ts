import assert from 'node:assert/strict';

import semver from 'semver';

import { runApplication } from '../../support/application.ts';

const USE = `
  const db = new Database(':memory:');
  db.prepare('select ?').get(1);
`;
/** The entry for this platform, as a bundler would be given it. */
const PLATFORM = `better-sqlite3/${process.platform}-${process.arch}`;
const APPLICATIONS = {
  'an ES module': ['module', `import Database from 'better-sqlite3'; ${USE}`],
  'a CommonJS module': ['commonjs', `const Database = require('better-sqlite3'); ${USE}`],
  'an ES module, by the entry of its platform': [
    'module',
    `import Database from '${PLATFORM}'; ${USE}`,
  ],
  'a CommonJS module, by the entry of its platform': [
    'commonjs',
    `const Database = require('${PLATFORM}'); ${USE}`,
  ],
} as const;

// The installed version is for Node 22 and later.
const describeWhere = semver.gte(process.version, '22.0.0') ? describe : describe.skip;

describeWhere('better-sqlite3 in an application with the preload', () => {
  for (const [name, [kind, source]] of Object.entries(APPLICATIONS)) {
    it(`is instrumented in ${name}`, async () => {
      const spans = await runApplication(source, kind, {});
      assert.deepEqual(
        spans.map(({ attributes }) => attributes['db.query.text']),
        ['select ?'],
      );
    });
  }
});
