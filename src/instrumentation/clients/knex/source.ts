import { context, ROOT_CONTEXT } from '@opentelemetry/api';

import { reservePatch, ownerOf, patchMethod, undoAll, type Undo } from '../../../base/patch.ts';
import { suppressed } from '../../../carry/suppression.ts';
import { runInRoot } from '../../../carry/root-context.ts';
import { holds } from '../tarn/pool-source.ts';
import { endpointOf } from './attributes.ts';
import type { KnexClient, TarnPool } from './library-types.ts';

/*
 * Builders keep their callers' contexts by themselves, the driver records the query, and `tarn`
 * measures the pool. What remains is the creation of connections.
 */

/** Patches the base class of clients, which make the pools and check new connections. */
export function patchClient(Client: { prototype: KnexClient }): Undo | undefined {
  const release = reservePatch(Client.prototype, 'knex client');
  if (!release) return undefined;
  const undos: Undo[] = [];
  return undoAll([
    release,
    () => undoAll(undos)(),
    patchMethod(Client.prototype, 'initializePool', (original) => {
      return function initializePool(...args) {
        const result = original.apply(this, args);
        const found = [patchCheck(ownerOf(this, 'checkVersion') as KnexClient | undefined)];
        if (this.pool) {
          holds(this.pool, endpointOf(this));
          // If knex and tarn are bundled into one file, the class of pools is not exported anywhere
          // else.
          found.push(patchPool({ prototype: Object.getPrototypeOf(this.pool) as TarnPool }));
        }
        undos.push(...found.filter((undo) => undo !== undefined));
        return result;
      };
    }),
  ]);
}

/** A query that knex itself sends on a new connection belongs to no caller. */
function patchCheck(owner: KnexClient | undefined): Undo | undefined {
  const release = owner && reservePatch(owner, 'knex check');
  if (!release) return undefined;
  return undoAll([
    release,
    patchMethod(owner, 'checkVersion', (original) => {
      return function checkVersion(...args) {
        return context.with(suppressed(ROOT_CONTEXT), () => original.apply(this, args));
      };
    }),
  ]);
}

/** Patches a class of pools: the connections they open belong to no request. */
export function patchPool(Pool: { prototype: TarnPool }): Undo | undefined {
  const release = reservePatch(Pool.prototype, 'knex pool');
  if (!release) return undefined;
  return undoAll([
    release,
    patchMethod(Pool.prototype, '_create', (original) => {
      return function _create() {
        return runInRoot(original, this);
      };
    }),
  ]);
}
