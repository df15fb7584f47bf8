import { createRequire } from 'node:module';

import { describeForms } from '../../matrix/suite.ts';
import { useCallbacks } from './callback-forms.ts';
import { mariadbForms } from './forms.ts';
import { usePromises } from './promise-forms.ts';

// The newest version is what the other tests use.
const require = createRequire(import.meta.url);
const promises = require('mariadb-3.3') as NonNullable<Parameters<typeof usePromises>[0]>;
const callbacks = require('mariadb-3.3/callback') as NonNullable<
  Parameters<typeof useCallbacks>[0]
>;

const { client, settings } = mariadbForms;

describe('mariadb at its oldest supported version', () => {
  before(() => {
    usePromises(promises);
    useCallbacks(callbacks);
  });
  after(() => {
    usePromises();
    useCallbacks();
  });
  // Its connections of callbacks have no streams yet, and parts of its clusters of callbacks throw.
  const able = settings
    .filter(({ name }) => name !== 'a cluster of one with callbacks')
    .map((setting) =>
      setting.name === 'one connection with callbacks'
        ? { ...setting, forms: setting.forms.filter(({ name }) => !name.includes('stream')) }
        : setting,
    );
  describeForms({ client, service: 'mariadb', settings: able }, ' 3.3.0', [promises, callbacks]);
});

// The CommonJS build of the newest version is a bundle, with classes of its own for each of the two.
const bundled = require('mariadb') as typeof promises;
const bundledCallbacks = require('mariadb/callback') as typeof callbacks;

describe('mariadb as a bundle', () => {
  before(() => {
    usePromises(bundled);
    useCallbacks(bundledCallbacks);
  });
  after(() => {
    usePromises();
    useCallbacks();
  });
  describeForms({ client, service: 'mariadb', settings }, ', bundled', [bundled, bundledCallbacks]);
});
