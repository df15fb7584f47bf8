import {
  createCluster,
  createSentinel,
  type RedisClusterType,
  type RedisSentinelType,
} from 'redis';

import type { Form, FormSuite, Setting } from '../../matrix/form.ts';
import { beginMove, moveSlot, SENTINEL_NAME } from '../../../support/redis-servers.ts';
import { commonForms, hearing, script, scripts, type Scripted } from './common-forms.ts';

type Cluster = RedisClusterType;
type Sentinel = RedisSentinelType;

/** What makes them: that of one version or another, for which the forms' types are the same. */
export interface ClusterPackage {
  createCluster: typeof createCluster;
  createSentinel?: typeof createSentinel;
}

/** Its slot is moved from server to server, so that nothing may be in it. */
const MOVED = '{clew-moved}:a';

/** What can be done with clusters and with sentinels. */
const commands: Form<(Cluster | Sentinel) & Pick<Scripted, 'addTo'>>[] = [
  ...commonForms,
  script,
  {
    name: 'pipeline',
    run: async (target, note) => {
      await target.multi().set('{clew}:a', '1').get('{clew}:a').execAsPipeline();
      note('continuation');
    },
  },
];

const clusterForms: Form<Cluster>[] = [
  {
    name: 'sendCommand',
    run: async (cluster, note) => {
      await cluster.sendCommand('{clew}:a', true, ['GET', '{clew}:a']);
      note('continuation');
    },
  },
];

/** What the last version sends to several servers. */
export const fanOutForms: Form<Cluster>[] = [
  {
    name: 'keys of several servers',
    run: async (cluster, note) => {
      await cluster.mGet(['a', 'b', 'c']);
      note('continuation');
    },
  },
  {
    name: 'command to all servers',
    run: async (cluster, note) => {
      await cluster.dbSize();
      note('continuation');
    },
  },
];

const sentinelForms: Form<Sentinel>[] = [
  {
    name: 'sendCommand',
    run: async (sentinel, note) => {
      await sentinel.sendCommand(true, ['GET', '{clew}:a']);
      note('continuation');
    },
  },
  {
    name: 'use',
    operations: 2,
    run: async (sentinel, note) => {
      await sentinel.use(async (client) => {
        note('in the task');
        await client.set('{clew}:a', '1');
        await client.get('{clew}:a');
        note('after the command');
      });
      note('continuation');
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
    name: 'sendCommand',
    run: async (cluster, note) => {
      await cluster.sendCommand(MOVED, false, ['GET', MOVED]);
      note('continuation');
    },
  },
];

const connections = (library: ClusterPackage): Form<string>[] => [
  {
    name: 'connect, a command, and the end',
    run: async (url, note) => {
      const cluster = library.createCluster({ rootNodes: [{ url }] });
      await cluster.connect();
      note('connected');
      await cluster.get('a');
      note('continuation');
      await close(cluster);
    },
  },
  {
    name: 'subscribe, message',
    operations: 3,
    run: async (url, note) => {
      const cluster = library.createCluster({ rootNodes: [{ url }] });
      await cluster.connect();
      const { heard, listener } = hearing(note);
      await cluster.subscribe('clew:news', listener);
      await cluster.publish('clew:news', 'hello');
      await heard;
      await cluster.unsubscribe('clew:news', listener);
      note('unsubscribed');
      await close(cluster);
    },
  },
];

async function close(target: { destroy?(): unknown; disconnect?(): unknown }): Promise<void> {
  await (target.destroy ? target.destroy() : target.disconnect?.());
}

async function openCluster(
  library: ClusterPackage,
  url: string,
): ReturnType<Setting<Cluster>['open']> {
  const target = library.createCluster({ rootNodes: [{ url }], scripts }) as unknown as Cluster;
  target.on('error', () => undefined);
  await target.connect();
  await target.set('{clew}:text', 'text');
  return { target, close: () => close(target) };
}

export function clusterFormsOf(
  library: ClusterPackage,
  more: readonly Form<Cluster>[] = [],
): FormSuite {
  return {
    client: 'redis',
    service: 'redis-cluster',
    settings: [
      {
        name: 'a cluster',
        open: (url) => openCluster(library, url),
        forms: [...commands, ...clusterForms, ...more],
      },
      {
        name: 'a slot that was moved',
        open: async (url) => {
          const opened = await openCluster(library, url);
          await moveSlot(url, MOVED);
          return opened;
        },
        forms: redirected,
      },
      {
        name: 'a slot that is being moved',
        open: async (url) => {
          const opened = await openCluster(library, url);
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

export function sentinelFormsOf({ createSentinel: create }: Required<ClusterPackage>): FormSuite {
  return {
    client: 'redis',
    service: 'redis-sentinel',
    settings: [
      {
        name: 'a sentinel',
        open: async (url) => {
          const { hostname: host, port } = new URL(url);
          const target = create({
            name: SENTINEL_NAME,
            sentinelRootNodes: [{ host, port: Number(port) }],
            scripts,
          });
          target.on('error', () => undefined);
          await target.connect();
          await target.set('{clew}:text', 'text');
          return { target, close: async () => target.destroy() };
        },
        forms: [...commands, ...sentinelForms],
      },
    ],
  };
}

export const redisClusterForms: FormSuite = clusterFormsOf({ createCluster }, fanOutForms);
export const redisSentinelForms: FormSuite = sentinelFormsOf({ createCluster, createSentinel });
