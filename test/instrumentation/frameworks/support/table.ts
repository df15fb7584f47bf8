import {
  CONNECT,
  EXPRESS,
  FASTIFY,
  FIND_MY_WAY,
  GRAPHQL,
  GRPC,
  HAPI,
  HONO,
  KOA,
  NEST,
  NEXT,
  POLKA,
  RESTIFY,
  ROUTER,
  TRPC,
  type Version,
} from './subjects.ts';
import {
  FRAMEWORKS,
  type FrameworkName,
} from '../../../../src/instrumentation/frameworks/index.ts';

interface Row {
  versions: readonly Version[];
  /** What the tests show, and what they do not. */
  named: string;
  missing: string;
}

const ROWS: Readonly<Record<FrameworkName, Row>> = {
  express: {
    versions: EXPRESS,
    named: 'routes, routers, mounted applications, mounted middlewares, `param`, error handlers',
    missing: '',
  },
  router: {
    versions: ROUTER,
    named: 'as express',
    missing: '',
  },
  fastify: {
    versions: FASTIFY,
    named: 'routes of all plugins; errors of hooks, parsers, schemas and handlers',
    missing: 'hooks that answer have no name',
  },
  koa: {
    versions: KOA,
    named: 'routes of routers, nested, prefixed, and mounted by `koa-mount`',
    missing: 'middlewares outside of a router; what they throw and catch themselves',
  },
  hono: {
    versions: HONO,
    named: 'routes on `@hono/node-server`: `route`, `basePath`, `mount`, middlewares for a path',
    missing: 'errors that a handler returns',
  },
  hapi: {
    versions: HAPI,
    named: 'routes with the prefixes of plugins; errors of all extensions',
    missing: 'extensions that answer have no name',
  },
  'nestjs-core': {
    versions: NEST,
    named: 'routes on both platforms, methods of controllers; errors that filters caught',
    missing: 'a guard that refuses has the name of the method',
  },
  connect: {
    versions: CONNECT,
    named: 'the paths that middlewares and applications are used at',
    missing: 'applications made before the start',
  },
  polka: {
    versions: POLKA,
    named: 'routes, and those of applications that are mounted once',
    missing: 'middlewares',
  },
  restify: {
    versions: RESTIFY,
    named: 'routes, handlers of all chains, errors',
    missing: '',
  },
  'find-my-way': {
    versions: FIND_MY_WAY,
    named: 'routes of `lookup`',
    missing: 'what is asked by `find` and called by the application',
  },
  next: {
    versions: NEXT,
    named: 'pages and route handlers of both routers; errors of handlers; its own spans hang below',
    missing: 'the edge runtime; static files',
  },
  graphql: {
    versions: GRAPHQL,
    named:
      '`graphql.operation.name` and `.type`, errors of resolvers, in `graphql-yoga`, Apollo and what calls `execute`',
    missing: 'of several operations in one request, the last one',
  },
  trpc: {
    versions: TRPC,
    named:
      'the procedure below the mount, with the adapters of `node:http`, express, fastify and `fetch`; errors',
    missing: 'a batch of several procedures is `/trpc/*`; its own WebSocket server',
  },
  grpc: {
    versions: GRPC,
    named:
      'servers and clients of `@grpc/grpc-js`: `package.Service/Method`, `rpc.*`, the status, errors of handlers',
    missing: 'single messages of streams',
  },
};

/** The table of docs/frameworks.md. */
export function frameworksTable(): string {
  const rows = (Object.keys(FRAMEWORKS) as FrameworkName[]).map((name) => {
    const { versions, named, missing } = ROWS[name];
    const packages = FRAMEWORKS[name].modules
      .map(({ module, versions: range }) => [packageOf(module), range] as const)
      .filter(([own], index, all) => all.findIndex(([other]) => other === own) === index)
      .map(
        ([own, range]) => `\`${own}\` ${range.replace(/[>=]+/, '').replace(' <', ' to before ')}`,
      );
    return [`\`${name}\``, packages.join(', '), tested(versions), named, missing];
  });
  const all = [['name', 'packages', 'tested with', 'what is named', 'what is not'], ...rows];
  const widths = (all[0] ?? []).map((_, column) =>
    Math.max(...all.map((row) => (row[column] ?? '').length)),
  );
  const line = (row: readonly string[]): string =>
    `| ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`;
  const [head = [], ...body] = all;
  return [
    line(head),
    `| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |`,
    ...body.map(line),
  ].join('\n');
}

function tested(versions: readonly Version[]): string {
  return versions.map(({ title }) => title).join(', ');
}

function packageOf(module: string): string {
  return module
    .split('/')
    .slice(0, module.startsWith('@') ? 2 : 1)
    .join('/');
}
