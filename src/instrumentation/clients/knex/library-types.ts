/* The parts of knex and of tarn, its pool of connections, that are used. */

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
  /** For some databases: queries a new connection for the server's version. */
  checkVersion?(...args: unknown[]): unknown;
}
