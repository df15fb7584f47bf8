import type { Link, SpanKind } from '@opentelemetry/api';

import type { Endpoint } from './recorder/endpoint.ts';
import type { SqlDialect } from './sql/sql-text.ts';

/** A statement and what came with it. */
export interface Statement {
  /** The statement as the caller wrote it. */
  text?: string | undefined;
  /** The SQL that `text` is written in; without it `text` is never shown. */
  dialect?: SqlDialect | undefined;
  /** In the place of `text`: what the client itself wrote, knowing the values and leaving them out. */
  safeText?: string | undefined;
  /** The values that came beside `text`. With them the text holds placeholders, not literals. */
  values?: unknown;
}

/**
 * What a client says about one logical operation: plain data, from which the recorder makes a span
 * and a duration. A field a client does not know stays away.
 */
export interface Operation extends Statement {
  /** The database, and where it is. */
  endpoint: Endpoint;
  /** For databases that have commands: the command. SQL is described by its summary instead. */
  name?: string | undefined;
  collection?: string | undefined;
  storedProcedure?: string | undefined;
  /** The summary, where a client knows it better than its text says. */
  summary?: string | undefined;
  /** How many operations one call carries. */
  batchSize?: number | undefined;
  /**
   * When the operation was requested, on the clock of `performance.now()`, if earlier than its
   * recording.
   */
  askedAt?: number | undefined;
  /**
   * Whether another library asks it for itself, such as a queue whose worker polls: by default it has
   * a span only inside another, whatever the client.
   */
  isHousekeeping?: boolean | undefined;
  /** `CLIENT` unless the database runs in this process. */
  kind?: SpanKind | undefined;
  /** What it does with messages, where the database has queues. */
  messaging?: MessageExchange | undefined;
}

/** Messages that an operation of a database sends, receives or settles. */
export interface MessageExchange {
  /** `messaging.operation.type`. */
  readonly type: 'send' | 'receive' | 'settle';
  /** `messaging.operation.name`. */
  readonly name: string;
  /** `messaging.destination.name`, of a single one. */
  readonly destination: string | undefined;
  /** `messaging.consumer.group.name`. */
  readonly consumerGroup?: string | undefined;
  /** `messaging.batch.message_count`. */
  readonly count?: number | undefined;
}

/** What an operation that receives got. */
export interface ReceivedMessages {
  readonly count: number;
  /** The id of a single message. */
  readonly id: string | undefined;
  /** To the spans of those that sent them, as far as the messages tell. */
  readonly links: readonly Link[];
}

/** How an operation failed. */
export interface Failure {
  /** `error.type`: the status code, or the name of the error's class. */
  type: string;
  /** `db.response.status_code`. */
  statusCode?: string | undefined;
  /**
   * For the status message. The recorder replaces what may be a value in it; a message that the
   * user's own code wrote has no form to go by, so it does not belong here.
   */
  message?: string | undefined;
}

/** What a client knows about its own results. */
export interface Responses {
  /** Describes an error of the client. */
  describeError(this: void, error: unknown): Failure;
  /** How many rows a result holds, where it is one that holds rows. */
  countRows?(this: void, result: unknown): number | undefined;
  /** The messages in the result of an operation that receives. */
  messagesIn?(this: void, result: unknown): ReceivedMessages;
}

/** An error no client knows more about: the name of its class. */
export function byClass(error: unknown): Failure {
  const name = error instanceof Error ? error.constructor.name || error.name : typeof error;
  return { type: name || '_OTHER' };
}
