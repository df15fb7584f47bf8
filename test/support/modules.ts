import { fileURLToPath } from 'node:url';

/** The folder `build`, whose programs find the packages of `test/packages`; those in the root do not. */
export const PROGRAMS: string = fileURLToPath(new URL('../../', import.meta.url));

/** Where they find them. */
export const MODULES: string = fileURLToPath(new URL('../../node_modules/', import.meta.url));
