import type { SpanKind } from '@opentelemetry/api';

import type { Endpoint } from './recorder/endpoint.ts';
import type { SqlDialect } from './sql/sql-text.ts';

/**
 * What a client says about one logical operation: plain data, from which the recorder makes a span
 * and a duration. A field a client does not know stays away.
 */
export interface Operation {
  /** The database, and where it is. */
  endpoint: Endpoint;
  /** The statement as the caller wrote it. */
  text?: string | undefined;
  /** The SQL that `text` is written in. */
  dialect?: SqlDialect | undefined;
  /** The values that came beside `text`. With them the text holds placeholders, not literals. */
  values?: unknown;
  /** For databases that have commands: the command. SQL is described by its summary instead. */
  name?: string | undefined;
  collection?: string | undefined;
  storedProcedure?: string | undefined;
  /** The summary, where a client knows it better than its text says. */
  summary?: string | undefined;
  /** How many operations one call carries. */
  batchSize?: number | undefined;
  /** `CLIENT` unless the database runs in this process. */
  kind?: SpanKind | undefined;
}

/** How an operation failed, in words that hold no values of the user. */
export interface Failure {
  /** `error.type`: the status code, or the name of the error's class. */
  type: string;
  /** `db.response.status_code`. */
  statusCode?: string | undefined;
  /** For the status message: only what cannot contain a value. */
  message?: string | undefined;
}

/** What came back. */
export interface Outcome {
  failure?: Failure | undefined;
  returnedRows?: number | undefined;
}
