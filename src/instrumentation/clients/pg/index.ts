import type { ClientDefinition } from '../../client.ts';
import { patchClasses } from '../../declared-classes.ts';
import { countRows, describeError } from './attributes.ts';
import { patchCursor } from './cursor-source.ts';
import { patchPool } from './pool-source.ts';
import { patchClient } from './query-source.ts';

const patch = patchClasses(
  [
    { has: ['_pulseQueryQueue'], patch: patchClient },
    { has: ['newClient'], patch: patchPool },
    { has: ['handleReadyForQuery', 'read'], patch: patchCursor },
  ],
  ['Client', 'Pool'],
);

/** `pg` with its pool, cursors and streams, and `pg.native`. */
export const pg: ClientDefinition = {
  name: 'pg',
  responses: { describeError, countRows },
  modules: [
    { module: 'pg', versions: '>=8.0.3 <9', patch },
    { module: 'pg/lib/client', versions: '>=8.0.3 <9', patch },
    { module: 'pg/lib/native/client', versions: '>=8.0.3 <9', patch },
    { module: 'pg-pool', versions: '>=3.1.1 <4', patch },
    { module: 'pg-cursor', versions: '>=2.1.0 <3', patch },
  ],
};
