import { ferretdb } from './ferretdb.ts';

/* Builds FerretDB ahead of the tests, which have little time for it. A machine without Go does without. */
const found = ferretdb();
console.log(typeof found === 'string' ? `There is ${found}` : `FerretDB is ${found.binary}`);
