import { EventEmitter } from 'node:events';

import type {
  Cluster,
  Connection,
  Factories,
  FilteredCluster,
  Pool,
  UserConnection,
  UserPool,
} from './library-types.ts';

/** The prototypes of the objects that the package creates. */
export interface Classes {
  connection: Connection | undefined;
  pool: Pool | undefined;
  userPool: UserPool;
  /** The connection object of the application, which the promise package creates later. */
  userConnection: Promise<UserConnection | undefined>;
  cluster: Cluster | undefined;
  filteredCluster: FilteredCluster;
}

/**
 * Finds the classes of a package that exports none: it is bundled, and its exports cannot be
 * replaced. So it creates one object of each class without connecting it. All are emitters, and are
 * observed when they are constructed.
 */
export function findClasses(factories: Factories): Classes {
  const { emitters, made } = emittersMadeBy(() => {
    const userConnection = factories.createConnection({ stream: () => undefined });
    const userPool = factories.createPool({ connectionLimit: 0, minimumIdle: 0 });
    const filteredCluster = factories.createPoolCluster({}).of('.*');
    return { userConnection, userPool, filteredCluster };
  });
  const withMethod = (method: string): object | undefined => {
    const found = emitters.find((emitter) => method in emitter);
    return found && prototypeOf(found);
  };
  return {
    connection: withMethod('addCommandQueue') as Connection | undefined,
    pool: withMethod('release') as Pool | undefined,
    cluster: withMethod('_handleConnectionError') as Cluster | undefined,
    userConnection: prototypeOfPromised(made.userConnection),
    userPool: prototypeOf(made.userPool) as UserPool,
    filteredCluster: prototypeOf(made.filteredCluster) as FilteredCluster,
  };
}

function prototypeOf(target: object): object {
  return Object.getPrototypeOf(target) as object;
}

async function prototypeOfPromised(made: unknown): Promise<UserConnection | undefined> {
  try {
    const connection: unknown = await made;
    return isObject(connection) ? (prototypeOf(connection) as UserConnection) : undefined;
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

/** Returns the emitters whose constructors run while `make` is called. */
function emittersMadeBy<Made>(make: () => Made): { emitters: object[]; made: Made } {
  const emitters: object[] = [];
  // The method that every constructor of an emitter calls.
  const constructors = EventEmitter as unknown as { init: (options?: unknown) => void };
  const original = constructors.init;
  constructors.init = function init(this: object, options) {
    emitters.push(this);
    // It connects immediately, but to nothing.
    if ('addCommandQueue' in this) {
      Object.defineProperty(this, 'connect', { value: () => Promise.resolve() });
    }
    original.call(this, options);
  };
  try {
    return { made: make(), emitters };
  } finally {
    constructors.init = original;
  }
}
