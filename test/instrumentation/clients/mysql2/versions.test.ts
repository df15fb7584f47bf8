import { createRequire } from 'node:module';

import { describeForms } from '../../matrix/suite.ts';
import { mysql2Forms, useVersion } from './forms.ts';

// The newest version is what the other tests use.
const oldest = createRequire(import.meta.url)('mysql2-2.3') as NonNullable<
  Parameters<typeof useVersion>[0]
>;

// Left to itself this version breaks off such a loop, and hangs where a stream was destroyed.
const UNABLE = ['query stream, for await', 'query stream destroyed early'];
const settings = mysql2Forms.settings.map((setting) => ({
  ...setting,
  forms: setting.forms.filter(({ name }) => !UNABLE.includes(name)),
}));

describe('mysql2 at its oldest supported version', () => {
  before(() => useVersion(oldest));
  after(() => useVersion());
  describeForms({ ...mysql2Forms, settings }, ' 2.3.3', [oldest]);
});
