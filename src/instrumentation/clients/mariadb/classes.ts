import { EventEmitter } from 'node:events';

import type { Cluster, Connection, Factories, FilteredCluster, Pool, UserPool } from './shapes.ts';

/** The prototypes that are behind what the package makes. */
export interface Classes {
  connection: Connection | undefined;
  pool: Pool | undefined;
  userPool: UserPool;
  cluster: Cluster | undefined;
  filteredCluster: FilteredCluster;
}

/**
 * Finds the classes of a package that exports none: it is bundled, and what it exports cannot be
 * replaced. So it makes one of each, and connects none of them: all are emitters, and are seen as
 * they are made.
 */
export function findClasses(factories: Factories): Classes {
  const { emitters, made } = emittersMadeBy(() => {
    // A connection whose stream never comes; the promise of it is never kept.
    factories.createConnection({ stream: () => undefined, connectTimeout: 0 });
    const userPool = factories.createPool({ connectionLimit: 0, minimumIdle: 0 });
    const filteredCluster = factories.createPoolCluster({}).of('.*');
    return { userPool, filteredCluster };
  });
  const withMethod = (method: string): object | undefined => {
    const found = emitters.find((emitter) => method in emitter);
    return found && prototypeOf(found);
  };
  return {
    connection: withMethod('addCommandQueue') as Connection | undefined,
    pool: withMethod('release') as Pool | undefined,
    cluster: withMethod('_handleConnectionError') as Cluster | undefined,
    userPool: prototypeOf(made.userPool) as UserPool,
    filteredCluster: prototypeOf(made.filteredCluster) as FilteredCluster,
  };
}

function prototypeOf(target: object): object {
  return Object.getPrototypeOf(target) as object;
}

/** The emitters whose constructors run while `make` is called. */
function emittersMadeBy<Made>(make: () => Made): { emitters: object[]; made: Made } {
  const emitters: object[] = [];
  // What every constructor of an emitter calls.
  const constructors = EventEmitter as unknown as { init: (options?: unknown) => void };
  const original = constructors.init;
  constructors.init = function init(this: object, options) {
    emitters.push(this);
    original.call(this, options);
  };
  try {
    return { made: make(), emitters };
  } finally {
    constructors.init = original;
  }
}
