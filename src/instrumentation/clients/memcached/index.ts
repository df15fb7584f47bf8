import type { ClientDefinition } from '../../client.ts';
import { patchClasses } from '../../declared-classes.ts';
import { describeError } from './attributes.ts';
import { patchClient } from './source.ts';

export const memcached: ClientDefinition = {
  name: 'memcached',
  responses: { describeError },
  modules: [
    {
      module: 'memcached',
      versions: '>=2.2.0 <3',
      patch: patchClasses([{ has: ['rawDataReceived'], patch: patchClient }]),
    },
  ],
};
