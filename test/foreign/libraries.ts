import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

import { nodeOfLine } from '../support/other-nodes.ts';
import type { Program } from './run-program.ts';
import type { Server } from './servers.ts';

/** How the suite of a library is run, file by file. */
export interface Suite {
  name: string;
  /** Matches the paths of its test files, below the package. */
  files: RegExp;
  /** What comes before the file on Node's command line; paths are relative to the package. */
  args: readonly string[];
  env?: Readonly<Record<string, string>>;
  server?: Server;
  /** Variables by which the suite finds its server. */
  reach?: (url: URL) => Record<string, string>;
}

const MOCHA = '../mocha/bin/mocha.js';

export const SUITES: readonly Suite[] = [
  {
    name: 'async',
    files: /^test\/\w+\.js$/,
    args: ['../mocha/bin/mocha', '--exit', '--require', 'test/support/setup', '--ui', 'bdd'],
  },
  {
    name: 'express',
    files: /^test\/[\w.-]+\.js$/,
    args: [MOCHA, '--exit', '--check-leaks', '--require', 'test/support/env'],
  },
  { name: 'fastify', files: /^test\/(?!bundler|types).*\.test\.m?js$/, args: [] },
  { name: 'fastq', files: /^test\/(?:test|promise)\.js$/, args: [] },
  { name: 'generic-pool', files: /^test\/[\w-]+-test\.js$/, args: [] },
  {
    name: 'ioredis',
    files: /^test\/(?:unit|functional)\/.*\.ts$/,
    args: [
      MOCHA,
      '--exit',
      '--timeout=8000',
      '--no-experimental-strip-types',
      '--require=ts-node/register',
      // The suite reads the sources; their classes are those of the package once it is loaded.
      '--require=ioredis',
      'test/helpers/global.ts',
    ],
    env: { TS_NODE_TRANSPILE_ONLY: 'true', NODE_ENV: 'test' },
    // The suite knows one address only, and flushes what is there.
    server: 'redis at 6379',
  },
  { name: 'koa', files: /^__tests__\/.*\.test\.js$/, args: [] },
  {
    name: 'mysql',
    files: /^test\/(?:unit|integration)\/.*\/test-[^/]+\.js$/,
    args: [],
    server: 'mariadb',
    reach: mysqlVariables,
  },
  {
    name: 'mysql2',
    files: /^test\/(?:unit|integration)\/.*\.test\.mts$/,
    args: ['--import=tsx'],
    env: { CI: '1' },
    server: 'mariadb',
    reach: mysqlVariables,
  },
  { name: 'p-limit', files: /^test\.js$/, args: ['../ava/entrypoints/cli.mjs'] },
  {
    name: 'pg',
    files: /^test\/(?:unit|integration)\/.*-tests\.js$/,
    args: [],
    server: 'postgresql',
    reach: (url) => ({
      PGHOST: url.hostname,
      PGPORT: url.port,
      PGUSER: url.username,
      PGDATABASE: url.pathname.slice(1),
    }),
  },
  { name: 'pino', files: /^test\/(?!browser)[\w-]+\.test\.js$/, args: [] },
  {
    name: 'ws',
    files: /^test\/[\w-]+\.test\.js$/,
    args: ['../mocha/bin/mocha', '--throw-deprecation'],
  },
];

/**
 * The files of a suite, of `<folder>/libraries/<name>/node_modules/<name>`, for a line of Node.
 * Empty where it is not there.
 */
export function libraryTests(folder: string, suite: Suite, line: string): Program[] {
  const cwd = join(folder, 'libraries', suite.name, 'node_modules', suite.name);
  if (!existsSync(cwd)) return [];
  const files = readdirSync(cwd, { recursive: true, encoding: 'utf8' })
    .map((file) => file.replaceAll('\\', '/'))
    .filter((file) => suite.files.test(file) && !file.startsWith('node_modules/'));
  const node = nodeOfLine(line);
  return files.sort().map((file) => ({
    name: `node-${line}/${suite.name}/${file}`,
    node,
    args: [...suite.args, file],
    cwd,
    env: suite.env ?? {},
    timeoutMillis: 60_000,
    // The tests of a suite share its server.
    alone: suite.server !== undefined,
  }));
}

function mysqlVariables(url: URL): Record<string, string> {
  return {
    MYSQL_HOST: url.hostname,
    MYSQL_PORT: url.port,
    MYSQL_USER: url.username,
    MYSQL_PASSWORD: url.password,
    MYSQL_DATABASE: url.pathname.slice(1),
  };
}
