import type { ClientDefinition } from '../../client.ts';
import { patchClasses } from '../../declared-classes.ts';
import { describeError } from './attributes.ts';
import { patchClient, patchPool } from './source.ts';

const patch = patchClasses(
  [
    { has: ['initializePool'], patch: patchClient },
    { has: ['numPendingAcquires'], patch: patchPool },
  ],
  ['Client', 'Pool'],
);

/** `knex` with `tarn`, over a driver whose own instrumentation records the queries. */
export const knex: ClientDefinition = {
  name: 'knex',
  responses: { describeError },
  modules: [
    { module: 'knex', versions: '>=3.0.1 <4', patch },
    { module: 'knex/lib/client', versions: '>=3.0.1 <4', patch },
    { module: 'tarn', versions: '>=3.0.0 <4', patch },
  ],
};
