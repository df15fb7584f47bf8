import { once } from 'node:events';

import { Cluster, Redis } from 'ioredis';

import { called } from '../../support/callers.ts';
import type { Form, FormSuite, Setting } from '../../matrix/form.ts';
import { beginMove, moveSlot, SENTINEL_NAME } from '../../../support/redis-servers.ts';
import { ADD_TO, batches, closed, commands, noted } from './forms.ts';

/** The classes of a version. */
export interface Package {
  Redis: typeof Redis;
  Cluster: typeof Cluster;
}

/** Its slot is moved from server to server, so that nothing may be in it. */
const MOVED = '{clew-moved}:a';

/** What a cluster does not do; of a batch without a key it throws an error of its own making. */
const ofOneServer = /^scan stream|^transaction that is refused/;

const ofCluster: Form<Cluster>[] = [
  {
    name: 'commands to three servers',
    operations: 3,
    run: async (cluster, note) => {
      await Promise.all(['a', 'b', 'c'].map((key) => cluster.get(key).then(() => note(key))));
    },
  },
  {
    name: 'scan stream of each server',
    operations: 3,
    run: async (cluster, note) => {
      for (const node of cluster.nodes('master')) {
        for await (const keys of node.scanStream({ count: 1000 })) note(`keys ${typeof keys}`);
      }
    },
  },
];

const redirected: Form<Cluster>[] = [
  {
    name: 'promise',
    run: async (cluster, note) => {
      await cluster.get(MOVED);
      note('continuation');
    },
  },
  {
    name: 'callback',
    run: (cluster, note) => called((done) => void cluster.get(MOVED, noted(note, done))),
  },
  {
    name: 'pipeline',
    run: async (cluster, note) => {
      await cluster.pipeline().get(MOVED).strlen(MOVED).exec();
      note('continuation');
    },
  },
  {
    name: 'transaction',
    run: async (cluster, note) => {
      await cluster.multi().get(MOVED).strlen(MOVED).exec();
      note('continuation');
    },
  },
];

const connections = (library: Package): Form<string>[] => [
  {
    name: 'connect, commands and quit',
    operations: 3,
    run: async (url, note) => {
      const cluster = new library.Cluster([url]);
      cluster.on('ready', () => note('ready'));
      await Promise.all(['a', 'b'].map((key) => cluster.get(key).then(() => note(key))));
      await cluster.get('c');
      note('continuation');
      await closed(cluster);
    },
  },
  {
    name: 'subscribe, message',
    operations: 3,
    run: async (url, note) => {
      const subscriber = new library.Cluster([url]);
      const publisher = new library.Cluster([url]);
      const heard = called((done) => subscriber.once('message', noted(note, done)));
      await subscriber.subscribe('clew:news');
      note('subscribed');
      await publisher.publish('clew:news', 'hello');
      await heard;
      await subscriber.unsubscribe('clew:news');
      await Promise.all([closed(subscriber), closed(publisher)]);
    },
  },
];

async function openCluster(
  library: Package,
  url: string,
  options: object,
): ReturnType<Setting<Cluster>['open']> {
  const target = new library.Cluster([url], options);
  target.on('error', () => undefined);
  target.defineCommand('addTo', ADD_TO);
  await once(target, 'ready');
  await target.set('{clew}:text', 'text');
  return { target, close: () => closed(target) };
}

export function clusterFormsOf(client: string, library: Package): FormSuite {
  const usual = [...commands, ...batches].filter(({ name }) => !ofOneServer.test(name));
  return {
    client,
    service: 'redis-cluster',
    settings: [
      {
        name: 'a cluster',
        open: (url) => openCluster(library, url, {}),
        forms: [...usual, ...(ofCluster as Form<never>[])],
      },
      {
        name: 'a cluster with auto-pipelining',
        open: (url) => openCluster(library, url, { enableAutoPipelining: true }),
        forms: usual,
      },
      {
        name: 'a slot that was moved',
        open: async (url) => {
          const opened = await openCluster(library, url, {});
          await moveSlot(url, MOVED);
          return opened;
        },
        forms: redirected,
      },
      {
        name: 'a slot that is being moved',
        open: async (url) => {
          const opened = await openCluster(library, url, {});
          const endMove = await beginMove(url, MOVED);
          return { target: opened.target, close: () => Promise.all([opened.close(), endMove()]) };
        },
        forms: redirected,
      },
      {
        name: 'a cluster each',
        open: async (target) => ({ target, close: async () => undefined }),
        forms: connections(library),
      },
    ],
  };
}

export function sentinelFormsOf(client: string, library: Package): FormSuite {
  const open = async (url: string, options: object): ReturnType<Setting<Redis>['open']> => {
    const { hostname: host, port } = new URL(url);
    const sentinels = [{ host, port: Number(port) }];
    const target = new library.Redis({ sentinels, name: SENTINEL_NAME, ...options });
    target.defineCommand('addTo', ADD_TO);
    return { target, close: () => closed(target) };
  };
  return {
    client,
    service: 'redis-sentinel',
    settings: [
      {
        name: 'a sentinel',
        open: async (url) => {
          const opened = await open(url, {});
          await once(opened.target, 'ready');
          await opened.target.set('{clew}:text', 'text');
          return opened;
        },
        forms: [...commands, ...batches],
      },
      {
        name: 'a sentinel, not connected yet',
        open: (url) => open(url, { lazyConnect: true }),
        forms: [...commands.slice(0, 6), ...batches],
      },
    ],
  };
}

export const ioredisClusterForms: FormSuite = clusterFormsOf('ioredis', { Redis, Cluster });
export const ioredisSentinelForms: FormSuite = sentinelFormsOf('ioredis', { Redis, Cluster });
