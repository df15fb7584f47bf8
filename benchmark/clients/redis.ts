import type * as ioredis from 'ioredis';
import type * as redis from 'redis';

import { requireClient, type ClientCase } from './variants.ts';

const url = process.env['REDIS_URL'];
const KEY = 'clew:a';

export const REDIS_CASES: readonly ClientCase[] =
  url === undefined
    ? []
    : [
        {
          name: 'redis get',
          client: 'redis',
          officialSpans: 1,
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
          open: () => {
            const { Redis } = requireClient<typeof ioredis>('ioredis');
            const client = new Redis(url);
            return { call: () => client.get(KEY), close: async () => client.disconnect() };
          },
        },
      ];
