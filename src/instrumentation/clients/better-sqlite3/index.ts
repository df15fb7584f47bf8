import type { ClientDefinition } from '../../client.ts';
import { patchClasses } from '../../declared-classes.ts';
import { countRows, describeError } from '../sqlite/attributes.ts';
import { patchDatabase } from './source.ts';

/** Entries for a single platform, each with its own class; bundlers need them. */
const PLATFORMS = ['linux', 'linuxmusl', 'darwin', 'win32'].flatMap((system) =>
  ['x64', 'arm64'].map((architecture) => `/lib/${system}-${architecture}`),
);

/** better-sqlite3. */
export const betterSqlite3: ClientDefinition = {
  name: 'better-sqlite3',
  responses: { describeError, countRows },
  modules: ['', ...PLATFORMS].map((file) => ({
    module: `better-sqlite3${file}`,
    versions: '>=12.0.0 <14',
    patch: patchClasses([{ has: ['prepare', 'unsafeMode'], patch: patchDatabase }]),
  })),
};
