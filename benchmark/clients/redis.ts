import type * as ioredis from 'ioredis';
import type * as redis from 'redis';

import { requireClient, type ClientCase } from './variants.ts';

const url = process.env['REDIS_URL'];
const KEY = 'clew:a';
/** As many requests as a server of some load works at. */
const AT_ONCE = 16;
const atOnce =
  (call: () => unknown): (() => Promise<unknown>) =>
  () =>
    Promise.all(Array.from({ length: AT_ONCE }, call));

export const REDIS_CASES: readonly ClientCase[] =
  url === undefined
    ? []
    : [
        {
          name: 'redis get',
          client: 'redis',
          officialSpans: 1,
          datadogSpans: 1,
          open: async () => {
            const client = requireClient<typeof redis>('redis').createClient({ url });
            await client.connect();
            return {
              call: () => client.get(KEY),
              close: async () => client.destroy(),
            };
          },
        },
        {
          name: 'ioredis get',
          client: 'ioredis',
          officialSpans: 1,
          datadogSpans: 1,
          open: () => {
            const { Redis } = requireClient<typeof ioredis>('ioredis');
            const client = new Redis(url);
            return { call: () => client.get(KEY), close: async () => client.disconnect() };
          },
        },
        {
          name: 'redis get, 16 at once',
          client: 'redis',
          officialSpans: AT_ONCE,
          datadogSpans: AT_ONCE,
          operations: AT_ONCE,
          count: 100,
          open: async () => {
            const client = requireClient<typeof redis>('redis').createClient({ url });
            await client.connect();
            const call = atOnce(() => client.get(KEY));
            return { call, close: async () => client.destroy() };
          },
        },
        {
          name: 'ioredis get, 16 at once',
          client: 'ioredis',
          officialSpans: AT_ONCE,
          datadogSpans: AT_ONCE,
          operations: AT_ONCE,
          count: 100,
          open: () => {
            const { Redis } = requireClient<typeof ioredis>('ioredis');
            const client = new Redis(url);
            const call = atOnce(() => client.get(KEY));
            return { call, close: async () => client.disconnect() };
          },
        },
      ];
