import type { ClientDefinition } from '../../client.ts';
import { patchClasses } from '../../declared-classes.ts';
import { describeError } from '../pg/attributes.ts';
import { countRows } from './attributes.ts';
import { patchDatabase } from './query-source.ts';

const VERSIONS = '>=0.3.0 <0.6';

/** PGlite: PostgreSQL in this process. */
export const pglite: ClientDefinition = {
  name: 'pglite',
  responses: { describeError, countRows },
  modules: ['@electric-sql/pglite', '@electric-sql/pglite/dist/index'].map((module) => ({
    module,
    versions: VERSIONS,
    patch: patchClasses([{ has: ['_runExclusiveQuery'], patch: patchDatabase }], ['PGlite']),
  })),
};
