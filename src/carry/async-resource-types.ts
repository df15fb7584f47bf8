/*
 * The types of the async resources that this package makes, and what each stands for.
 *
 * `roles` is written where such resources are made, by `declareType`, and read by the tracer. A type
 * that is not in it is one of Node's or of the application.
 */

/**
 * `operation`: a unit of work that an application waits for. `binding`: keeps a listener or a
 * callback with its caller; nothing waits for it. `wait`: for something shared to become free.
 * `internal`: of this package alone.
 */
export type AsyncResourceRole = 'operation' | 'binding' | 'wait' | 'internal';

const MAX_TYPES = 10_000;

const roles = new Map<string, AsyncResourceRole>([
  ['CLEW', 'internal'],
  ['CLEW_CONTEXT', 'internal'],
  ['CLEW_PROBE', 'internal'],
  ['CLEW_ROOT', 'internal'],
  ['clew.delivery', 'internal'],
  ['clew.probe', 'internal'],
  ['clew.root', 'internal'],
  // As recordings have them that were made elsewhere, or before.
  ['LISTENER', 'binding'],
  ['PGLITE_LISTENER', 'binding'],
  ['POSTGRES_LISTENER', 'binding'],
  ['REDIS_LISTENER', 'binding'],
  ['TARN_LISTENER', 'binding'],
  ['http.listener', 'binding'],
  ['stream.write', 'binding'],
  ['POOL_WAIT', 'wait'],
]);

/** Declares the role of a type. One that several roles share, as a rule may have it, is an operation. */
export function declareType(type: string, role: AsyncResourceRole): void {
  const known = roles.get(type);
  if (known === role || known === 'operation') return;
  if (known !== undefined) roles.set(type, 'operation');
  else if (roles.size < MAX_TYPES) roles.set(type, role);
}

/** The role of a type; undefined for one that is not ours. */
export function roleOfType(type: string): AsyncResourceRole | undefined {
  return roles.get(type);
}
