/* What is used of knex and of tarn, the pool it keeps its connections in. */

/** A pool of tarn. What happens in it is told by events, each operation under an id. */
export interface TarnPool {
  readonly min?: number;
  readonly max?: number;
  numUsed(): number;
  numFree(): number;
  numPendingAcquires(): number;
  _create(): unknown;
  _executeEventHandlers(event: string, id: unknown, subject?: unknown): unknown;
}

/** A client of knex: one of its classes for each database. */
export interface KnexClient {
  driverName?: string;
  dialect?: string;
  pool?: TarnPool;
  connectionSettings?: {
    host?: string;
    port?: number | string;
    database?: string;
    filename?: string;
    connectionString?: string;
  };
  initializePool(...args: unknown[]): unknown;
  /** Of some databases: asks a new connection for the server's version. */
  checkVersion?(...args: unknown[]): unknown;
}
