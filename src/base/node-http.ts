import type * as Http from 'node:http';

/**
 * `node:http`. An `import` of it reads each of its exports, the getters too, which load undici and
 * HTTP/2: ten times the time, and promises of undici that the application's own hooks would see.
 */
export const http: typeof Http = process.getBuiltinModule('node:http');
