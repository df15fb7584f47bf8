import * as nodeModule from 'node:module';

import { buildNextApp, hashOfNextApp } from './next-app.ts';
import type { Kind, Subject } from './run.ts';

/** Packages of a framework in a version that is supported, and the application that uses them. */
export interface Version extends Subject {
  title: string;
  version: string;
  /** What an application may be written as. Default: both. */
  kinds?: readonly Kind[];
  /** The first line of Node on which it does not load, without clew either. */
  endsAt?: number;
}

function version(
  framework: string,
  version: string,
  packages: readonly string[],
  rest: Omit<Subject, 'folder' | 'packages'> & Pick<Version, 'kinds' | 'endsAt'>,
): Version {
  const folder = `${framework}-${version}`.replaceAll(' ', '-');
  return { title: `${framework} ${version}`, version, folder, packages, ...rest };
}

const express = { application: 'express.cjs', modules: { express: 'express' } };

export const EXPRESS: readonly Version[] = [
  version('express', '4.16.0', ['express@4.16.0'], express),
  version('express', '4.22.3', ['express@4.22.3'], express),
  version('express', '5.0.0', ['express@5.0.0'], express),
  version('express', '5.3.0', ['express@5.3.0'], express),
];

const koa = (router: string): Omit<Subject, 'folder' | 'packages'> => ({
  application: 'koa.cjs',
  modules: { koa: 'koa', router },
});

export const KOA: readonly Version[] = [
  version('koa', '2.0.0', ['koa@2.0.0', '@koa/router@8.0.0'], koa('@koa/router')),
  version('koa', '3.3.0', ['koa@3.3.0', '@koa/router@15.7.0', 'koa-mount@4.2.0'], {
    application: 'koa.cjs',
    modules: { koa: 'koa', router: '@koa/router', mount: 'koa-mount' },
  }),
  version('koa-router', '7.0.0', ['koa@2.16.4', 'koa-router@7.0.0'], koa('koa-router')),
  version('koa-router', '14.0.0', ['koa@3.3.0', 'koa-router@14.0.0'], koa('koa-router')),
];

const fastify = { application: 'fastify.cjs', modules: { fastify: 'fastify' } };

export const FASTIFY: readonly Version[] = ['4.0.0', '4.29.1', '5.0.0', '5.12.8'].map((number) =>
  version('fastify', number, [`fastify@${number}`], fastify),
);

const hono = {
  application: 'hono.cjs',
  modules: { hono: 'hono', server: '@hono/node-server' },
};

export const HONO: readonly Version[] = [
  version('hono', '4.0.0', ['hono@4.0.0', '@hono/node-server@1.8.0'], hono),
  version('hono', '4.13.19', ['hono@4.13.19', '@hono/node-server@2.1.9'], hono),
];

const hapi = { application: 'hapi.cjs', modules: { hapi: '@hapi/hapi' } };

export const HAPI: readonly Version[] = ['20.3.0', '21.4.10'].map((number) =>
  version('hapi', number, [`@hapi/hapi@${number}`], hapi),
);

const nest = (platform: string): Omit<Subject, 'folder' | 'packages'> => ({
  application: 'nest.cjs',
  modules: { core: '@nestjs/core', common: '@nestjs/common', platform: `@nestjs/${platform}` },
});

function nestVersion(platform: string, number: string, metadata: string): Version {
  const names = ['core', 'common', platform];
  const packages = names.map((name) => `@nestjs/${name}@${number}`);
  return version(
    `nest-${platform}`,
    number,
    [...packages, `reflect-metadata@${metadata}`, 'rxjs@7.8.2'],
    {
      ...nest(platform),
      // It is written as ES modules, and what those import that are required only such hooks see.
      ...(number >= '12' && !('registerHooks' in nodeModule) && { kinds: ['ES module'] }),
    },
  );
}

export const NEST: readonly Version[] = [
  nestVersion('platform-express', '10.0.0', '0.1.14'),
  nestVersion('platform-express', '12.5.1', '0.2.2'),
  nestVersion('platform-fastify', '10.0.0', '0.1.14'),
  nestVersion('platform-fastify', '12.5.0', '0.2.2'),
];

export const CONNECT: readonly Version[] = ['3.1.0', '3.7.0'].map((number) =>
  version('connect', number, [`connect@${number}`], {
    application: 'connect.cjs',
    modules: { connect: 'connect' },
  }),
);

export const POLKA: readonly Version[] = ['0.5.0', '0.5.2'].map((number) =>
  version('polka', number, [`polka@${number}`], {
    application: 'polka.cjs',
    modules: { polka: 'polka' },
  }),
);

export const RESTIFY: readonly Version[] = ['11.1.0', '12.0.0'].map((number) =>
  version('restify', number, [`restify@${number}`], {
    application: 'restify.cjs',
    modules: { restify: 'restify' },
    // Its HTTP/2 takes a binding of Node's that is gone.
    ...(number.startsWith('11.') && { endsAt: 24 }),
  }),
);

export const FIND_MY_WAY: readonly Version[] = ['5.0.0', '9.10.2'].map((number) =>
  version('find-my-way', number, [`find-my-way@${number}`], {
    application: 'find-my-way.cjs',
    modules: { 'find-my-way': 'find-my-way' },
  }),
);

export const ROUTER: readonly Version[] = ['1.3.0', '2.3.0'].map((number) =>
  version('router', number, [`router@${number}`, 'finalhandler@2.1.1'], {
    application: 'router.cjs',
    modules: { router: 'router', finalhandler: 'finalhandler' },
  }),
);

const yoga = { application: 'yoga.cjs', modules: { yoga: 'graphql-yoga', express: 'express' } };
const apollo = { application: 'apollo.cjs', modules: { apollo: '@apollo/server' } };

export const GRAPHQL: readonly Version[] = [
  version(
    'graphql-yoga',
    '5.0.0',
    ['graphql-yoga@5.0.0', 'graphql@15.10.1', 'express@4.22.3'],
    yoga,
  ),
  ...['17.0.0', '17.1.0'].map((number) =>
    version('graphql', number, ['graphql-http@1.23.1', `graphql@${number}`], {
      application: 'graphql-http.cjs',
      modules: { graphql: 'graphql', http: 'graphql-http/lib/use/http' },
    }),
  ),
  version(
    'graphql-yoga',
    '5.24.1 on graphql 17.1.0',
    ['graphql-yoga@5.24.1', 'graphql@17.1.0', 'express@5.3.0'],
    yoga,
  ),
  version('apollo', '5.0.0', ['@apollo/server@5.0.0', 'graphql@16.15.0'], apollo),
  version('apollo', '5.5.1', ['@apollo/server@5.5.1', 'graphql@16.15.0'], apollo),
];

const trpc = {
  application: 'trpc.cjs',
  modules: {
    trpc: '@trpc/server',
    standalone: '@trpc/server/adapters/standalone',
    express4: '@trpc/server/adapters/express',
    fastifyAdapter: '@trpc/server/adapters/fastify',
    fetchAdapter: '@trpc/server/adapters/fetch',
    express: 'express',
    fastify: 'fastify',
    hono: 'hono',
    honoServer: '@hono/node-server',
  },
};
const honoOfTrpc = ['hono@4.13.19', '@hono/node-server@2.1.9'];

export const TRPC: readonly Version[] = [
  version(
    'trpc',
    '10.0.0',
    ['@trpc/server@10.0.0', 'express@4.22.3', 'fastify@4.29.1', ...honoOfTrpc],
    trpc,
  ),
  version(
    'trpc',
    '11.25.2',
    ['@trpc/server@11.25.2', 'express@5.3.0', 'fastify@5.12.8', ...honoOfTrpc],
    trpc,
  ),
];

export const GRPC: readonly Version[] = ['1.8.0', '1.14.7'].map((number) =>
  version('grpc-js', number, [`@grpc/grpc-js@${number}`], {
    application: 'grpc.cjs',
    modules: { grpc: '@grpc/grpc-js' },
  }),
);

/** The newest of each line of `react` that it takes. */
export const NEXT: readonly Version[] = [
  ['14.2.35', '18.3.1'],
  ['16.4.6', '19.2.4'],
]
  .map(([number = '', react = '']) =>
    version(
      `next-${hashOfNextApp}`,
      number,
      [`next@${number}`, `react@${react}`, `react-dom@${react}`],
      {
        application: 'next.cjs',
        modules: { next: 'next' },
        prepare: buildNextApp,
      },
    ),
  )
  .map((subject) => ({ ...subject, title: `next ${subject.version}` }));
