import type * as Ioredis from 'ioredis';
import type * as Redis from 'redis';

import { LATER, LOST, OTHERS, require, soon, until, type EventScenario } from './scenario.ts';

const { Redis: IoRedis } = require('ioredis') as typeof Ioredis;
const redis = require('redis') as typeof Redis;
const redis4 = require('redis-4') as typeof Redis;

const IOREDIS = [
  'wait',
  'connecting',
  'connect',
  'ready',
  'select',
  'error',
  'close',
  'reconnecting',
  'end',
  'message',
  'messageBuffer',
  'pmessage',
  'pmessageBuffer',
  'smessage',
  'monitor',
];
const NODE_REDIS = [
  'connect',
  'ready',
  'error',
  'end',
  'reconnecting',
  'terminated',
  'invalidate',
  'ping-interval',
];

export const redisFamily: EventScenario[] = [
  {
    client: 'ioredis',
    name: 'a client of one caller',
    service: 'redis',
    async run({ url, listen, as }) {
      const client = new IoRedis(url, { lazyConnect: true });
      listen(client, IOREDIS);
      await as('a', async () => {
        await client.connect();
        await client.select(1);
        await client.quit();
        await soon();
      });
    },
  },
  {
    client: 'ioredis',
    name: 'a client that another caller opened',
    service: 'redis',
    callers: {
      connecting: 'ac',
      connect: 'ac',
      ready: 'ac',
      close: 'cd',
      reconnecting: 'c',
      end: 'd',
    },
    nobodys: { select: LATER },
    async run({ url, listen, as }) {
      const client = new IoRedis(url, { lazyConnect: true });
      listen(client, IOREDIS);
      await as('a', () => client.get('x'));
      await as('b', () => client.select(1));
      await as('c', async () => client.disconnect(true));
      await until(client, 'ready');
      await as('d', () => client.quit());
      await soon();
    },
  },
  {
    client: 'ioredis',
    name: 'messages and monitoring',
    service: 'redis',
    nobodys: {
      message: OTHERS,
      messageBuffer: OTHERS,
      pmessage: OTHERS,
      pmessageBuffer: OTHERS,
      monitor: OTHERS,
      close: LOST,
      end: LOST,
    },
    async run({ url, listen, as }) {
      const subscriber = new IoRedis(url, { lazyConnect: true });
      const publisher = new IoRedis(url, { lazyConnect: true });
      listen(subscriber, IOREDIS);
      await as('a', async () => {
        await subscriber.subscribe('clew-events');
        await subscriber.psubscribe('clew-event?');
      });
      await as('b', () => publisher.publish('clew-events', 'x'));
      await soon();
      const monitor = await as('c', () => publisher.monitor());
      listen(monitor, IOREDIS);
      await as('d', () => publisher.get('x'));
      await soon();
      for (const client of [subscriber, publisher, monitor]) client.disconnect();
      await soon();
    },
  },
  {
    client: 'ioredis',
    name: 'a server that is not there',
    service: 'redis',
    async run({ listen, as }) {
      const client = new IoRedis({ port: 1, lazyConnect: true, retryStrategy: () => null });
      listen(client, IOREDIS);
      await as('a', () => client.connect().catch(() => undefined));
      await soon();
    },
  },
  ...Object.entries({ '5': redis, '4': redis4 }).flatMap(([version, library]): EventScenario[] => [
    {
      client: 'redis',
      name: `a client of one caller, ${version}`,
      service: 'redis',
      async run({ url, listen, as }) {
        const client = library.createClient({ url });
        listen(client, NODE_REDIS);
        await as('a', async () => {
          await client.connect();
          await client.get('x');
          await client.quit();
          await soon();
        });
      },
    },
    {
      client: 'redis',
      name: `a client that another caller opened, ${version}`,
      service: 'redis',
      nobodys: {
        connect: LATER,
        ready: LATER,
        'ping-interval': 'pings are the client’s own',
        error: LOST,
        reconnecting: LOST,
      },
      async run({ url, listen, as }) {
        const client = library.createClient({ url, pingInterval: 10 });
        listen(client, NODE_REDIS);
        await as('a', () => client.connect());
        await as('b', () => client.get('x'));
        await soon(30);
        await as('c', () => client.sendCommand(['CLIENT', 'KILL', 'SKIPME', 'no'])).catch(
          () => undefined,
        );
        await soon(120);
        await as('d', () => client.quit());
        await soon();
      },
    },
    {
      client: 'redis',
      name: `a server that is not there, ${version}`,
      service: 'redis',
      async run({ listen, as }) {
        const client = library.createClient({
          socket: { port: 1, reconnectStrategy: false },
        });
        listen(client, NODE_REDIS);
        await as('a', () => client.connect().catch(() => undefined) as Promise<unknown>);
        await soon();
      },
    },
  ]),
  {
    client: 'redis',
    name: 'a pool of one',
    service: 'redis',
    async run({ url, listen, as }) {
      const pool = redis.createClientPool({ url }, { minimum: 1, maximum: 1 });
      listen(pool, ['open', 'error', 'close', 'connect', 'ready']);
      await as('a', () => pool.connect() as Promise<unknown>);
      await as('b', () => pool.get('x'));
      await as('c', () => pool.close() as Promise<unknown>);
    },
  },
];
