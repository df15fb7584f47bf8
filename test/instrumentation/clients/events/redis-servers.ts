import type * as Ioredis from 'ioredis';
import type * as Redis from 'redis';

import { SENTINEL_NAME } from '../../../support/redis-servers.ts';
import { require, soon, until, type EventScenario } from './scenario.ts';

/* Redis in more than one process. Both packages make connections to its servers on their own. */

const { Cluster, Redis: IoRedis } = require('ioredis') as typeof Ioredis;
const redis = require('redis') as typeof Redis;
const redis4 = require('redis-4') as typeof Redis;

const IOREDIS = [
  'connecting',
  'connect',
  'ready',
  'wait',
  'error',
  'close',
  'reconnecting',
  'end',
  'node error',
  '+node',
  '-node',
  'refresh',
];
const NODE_REDIS = [
  'connect',
  'ready',
  'error',
  'end',
  'disconnect',
  'reconnecting',
  'terminated',
  'node-error',
  'node-connect',
  'node-ready',
  'node-reconnecting',
  'node-disconnect',
  'topology-change',
  'client-error',
  'sentinel-connect',
  'sentinel-error',
];

export const redisServers: EventScenario[] = [
  {
    client: 'ioredis',
    name: 'a cluster of one caller',
    service: 'redis-cluster',
    async run({ url, listen, as }) {
      const { hostname: host, port } = new URL(url);
      const cluster = new Cluster([{ host, port: Number(port) }], { lazyConnect: true });
      listen(cluster, IOREDIS);
      await as('a', async () => {
        await cluster.connect();
        await cluster.get('x');
        await cluster.quit();
        await soon();
      });
    },
  },
  {
    client: 'ioredis',
    name: 'a cluster that another caller opened',
    service: 'redis-cluster',
    callers: { '-node': 'cd', close: 'cd', end: 'd' },
    async run({ url, listen, as }) {
      const { hostname: host, port } = new URL(url);
      const cluster = new Cluster([{ host, port: Number(port) }], { lazyConnect: true });
      listen(cluster, IOREDIS);
      await as('a', () => cluster.connect());
      await as('b', () => cluster.get('x'));
      await as('c', async () => cluster.disconnect(true));
      await until(cluster, 'ready');
      await as('d', () => cluster.quit());
      await soon();
    },
  },
  {
    client: 'ioredis',
    name: 'a cluster that is not there',
    async run({ listen, as }) {
      const cluster = new Cluster([{ port: 1 }], {
        lazyConnect: true,
        clusterRetryStrategy: () => null,
      });
      listen(cluster, IOREDIS);
      await as('a', () => cluster.connect().catch(() => undefined));
      await soon();
    },
  },
  {
    client: 'ioredis',
    name: 'a client by its sentinel',
    service: 'redis-sentinel',
    callers: { close: 'c', end: 'c' },
    async run({ url, listen, as }) {
      const { hostname: host, port } = new URL(url);
      const client = new IoRedis({
        sentinels: [{ host, port: Number(port) }],
        name: SENTINEL_NAME,
        lazyConnect: true,
      });
      listen(client, IOREDIS);
      await as('a', () => client.connect());
      await as('b', () => client.get('x'));
      await as('c', () => client.quit());
      await soon();
    },
  },
  ...Object.entries({ '6': redis, '4': redis4 }).flatMap(([version, library]): EventScenario[] => [
    {
      client: 'redis',
      name: `a cluster of one caller, ${version}`,
      service: 'redis-cluster',
      async run({ url, listen, as }) {
        const cluster = library.createCluster({ rootNodes: [{ url }] });
        listen(cluster, NODE_REDIS);
        await as('a', async () => {
          await cluster.connect();
          await cluster.get('x');
          await cluster.quit();
          await soon();
        });
      },
    },
    {
      client: 'redis',
      name: `a cluster that another caller opened, ${version}`,
      service: 'redis-cluster',
      async run({ url, listen, as }) {
        const cluster = library.createCluster({ rootNodes: [{ url }] });
        listen(cluster, NODE_REDIS);
        await as('a', () => cluster.connect() as Promise<unknown>);
        await as('b', () => cluster.get('x'));
        await as('c', () => cluster.quit() as Promise<unknown>);
        await soon();
      },
    },
    {
      client: 'redis',
      name: `a cluster that is not there, ${version}`,
      async run({ listen, as }) {
        const cluster = library.createCluster({
          rootNodes: [{ socket: { port: 1, reconnectStrategy: false } }],
        });
        listen(cluster, NODE_REDIS);
        await as('a', () => cluster.connect().catch(() => undefined) as Promise<unknown>);
        await soon();
      },
    },
  ]),
  {
    client: 'redis',
    name: 'a sentinel',
    service: 'redis-sentinel',
    async run({ url, listen, as }) {
      const { hostname: host, port } = new URL(url);
      const sentinel = redis.createSentinel({
        name: SENTINEL_NAME,
        sentinelRootNodes: [{ host, port: Number(port) }],
      });
      listen(sentinel, NODE_REDIS);
      await as('a', () => sentinel.connect() as Promise<unknown>);
      await as('b', () => sentinel.get('x'));
      await as('c', () => sentinel.close() as Promise<unknown>);
      await soon();
    },
  },
];
