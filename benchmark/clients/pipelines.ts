import type * as ioredis from 'ioredis';
import type * as redis from 'redis';

import { requireClient, type ClientCase } from './variants.ts';

/* Ten thousand commands at once: however many they are, this package makes one span of them. */
const url = process.env['REDIS_URL'];
const COMMANDS = 10_000;
const KEY = 'clew:a';

/** Ten thousand times what a command costs: few calls tell enough. */
const COUNTS = { count: 2, warmUps: 3 };

export const PIPELINE_CASES: readonly ClientCase[] =
  url === undefined
    ? []
    : [
        {
          name: `ioredis pipeline of ${COMMANDS}`,
          client: 'ioredis',
          officialSpans: COMMANDS,
          datadogSpans: COMMANDS,
          ...COUNTS,
          open: () => {
            const { Redis } = requireClient<typeof ioredis>('ioredis');
            const client = new Redis(url);
            return {
              call: () => {
                const pipeline = client.pipeline();
                for (let index = 0; index < COMMANDS; index += 1) pipeline.get(KEY);
                return pipeline.exec();
              },
              close: () => client.disconnect(),
            };
          },
        },
        {
          name: `redis pipeline of ${COMMANDS}`,
          client: 'redis',
          officialSpans: COMMANDS,
          datadogSpans: COMMANDS,
          ...COUNTS,
          open: async () => {
            const client = requireClient<typeof redis>('redis').createClient({ url });
            await client.connect();
            return {
              call: () => {
                const pipeline = client.multi();
                for (let index = 0; index < COMMANDS; index += 1) pipeline.get(KEY);
                return pipeline.execAsPipeline();
              },
              close: () => client.destroy(),
            };
          },
        },
      ];
