import { context, ROOT_CONTEXT } from '@opentelemetry/api';

import { claim, ownerOf, patchMethod, undoAll, type Undo } from '../../../base/patch.ts';
import { suppressed } from '../../../carry/suppression.ts';
import { runInRoot } from '../../../carry/root-context.ts';
import { holds } from '../tarn/pool-source.ts';
import { endpointOf } from './describe.ts';
import type { KnexClient, TarnPool } from './shapes.ts';

/*
 * Builders keep their callers by themselves, the driver records the query and `tarn` measures the
 * pool: what is left is the birth of connections.
 */

/** Patches the base class of clients, which make the pools and check new connections. */
export function patchClient(Client: { prototype: KnexClient }): Undo | undefined {
  const release = claim(Client.prototype, 'knex client');
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
          // Nobody else names the class of pools where knex is in one file with it.
          found.push(patchPool({ prototype: Object.getPrototypeOf(this.pool) as TarnPool }));
        }
        undos.push(...found.filter((undo) => undo !== undefined));
        return result;
      };
    }),
  ]);
}

/** What a new connection is asked for knex's own sake is no query of anybody's. */
function patchCheck(owner: KnexClient | undefined): Undo | undefined {
  const release = owner && claim(owner, 'knex check');
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

/** Patches a class of pools: the connections they open are nobody's. */
export function patchPool(Pool: { prototype: TarnPool }): Undo | undefined {
  const release = claim(Pool.prototype, 'knex pool');
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
