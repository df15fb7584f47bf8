import { fileURLToPath } from 'node:url';

import type { GoProgram } from './go-build.ts';

/**
 * FerretDB, a server of MongoDB's protocol over SQLite. Nobody packages its 1.x, which needs no
 * other server; `ferretdb/` pins it by go.mod and go.sum.
 */
export const FERRETDB: GoProgram = {
  name: 'FerretDB',
  version: '1.24.2',
  sources: () => fileURLToPath(new URL('../../../test/support/ferretdb/', import.meta.url)),
  main: '.',
};
