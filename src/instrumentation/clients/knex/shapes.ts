/* What is used of knex and of tarn, the pool it keeps its connections in. */

/** A pool of tarn. */
export interface TarnPool {
  _create(): unknown;
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
