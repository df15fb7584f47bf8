import type { Recorder } from '../../recorder/recorder.ts';
import { PendingOperation } from '../../pending-operation.ts';
import { isThrownRecorded } from '../../thrown-calls.ts';
import { attachWork, workOf } from '../../../carry/unit-of-work.ts';
import { describeQuery, endpointAt, SOMEWHERE, Unanswered } from './attributes.ts';
import type { Callback, MemcachedClient, MemcachedSocket, Query } from './library-types.ts';

/** One call of the user: one query, or one on each of several servers. */
export class Call {
  readonly #operation = new PendingOperation('MEMCACHED_COMMAND');
  readonly #total: number;
  #started = false;
  #answered = 0;
  #hasServer = false;

  constructor(total: number) {
    this.#total = total;
  }

  /** Returns the query that the client is to use in place of `query`. */
  carry(query: Query, client: MemcachedClient, server: string | undefined, by: Recorder): Query {
    const { callback } = query;
    // The client refuses anything but a plain function, such as an async one, if it checks at all.
    const isRefused = query.validate !== undefined && !isPlainFunction(callback);
    if (isRefused) {
      this.#operation.end();
      return query;
    }
    this.#start(query, client, server, by);
    const carried = { ...query, callback: this.#told(callback) };
    attachWork(carried, this);
    return carried;
  }

  /** Sets the server that a query of this call goes to. */
  chose(server: string): void {
    if (this.#hasServer || this.#total > 1) return;
    this.#hasServer = true;
    this.#operation.recording?.learn({ endpoint: endpointAt(server) });
  }

  waited(milliseconds: number): void {
    this.#operation.recording?.waited(milliseconds);
  }

  /** Fails without a notification by the client. */
  fail(error: Unanswered): void {
    this.#operation.settle(error);
  }

  /** It could not be sent, as shown by the thrown error. */
  threw(error: unknown): void {
    if (this.#operation.isDescribed) isThrownRecorded(error);
    this.#operation.settle(error);
    this.#operation.end();
  }

  /** Its response will never arrive. */
  lose(error: Unanswered): void {
    this.#operation.settle(error);
    this.#operation.end();
  }

  #start(
    query: Query,
    { servers }: MemcachedClient,
    server: string | undefined,
    recorder: Recorder,
  ): void {
    if (this.#started) return;
    this.#started = true;
    if (!recorder.isListening) return;
    const only = server ?? (servers.length === 1 ? servers[0] : undefined);
    const isKnown = only !== undefined && this.#total === 1;
    this.#hasServer = isKnown;
    const endpoint = isKnown ? endpointAt(only) : SOMEWHERE;
    this.#operation.record(recorder, describeQuery(query, endpoint));
  }

  #told(callback: Callback | undefined): Callback {
    const answered = (error: unknown, result: unknown): boolean => {
      // With several servers, the last one ends the call, unless one fails.
      const isLast = ++this.#answered >= this.#total;
      if (error || isLast) this.#operation.settle(error || undefined, result);
      return isLast;
    };
    const operation = this.#operation;
    return function told(this: unknown, ...args: unknown[]): unknown {
      const isLast = answered(args[0], args[1]);
      try {
        return callback && operation.run(callback, this, ...args);
      } finally {
        if (isLast) operation.end();
      }
    };
  }
}

function isPlainFunction(callback: unknown): boolean {
  return Object.prototype.toString.call(callback) === '[object Function]';
}

/** The server refuses the next query on `socket`, which the client does not report. */
export function refused({ metaData }: MemcachedSocket): void {
  const [query] = metaData ?? [];
  if (query) workOf<Call>(query)?.fail(new Unanswered('The server refused', 'SERVER_ERROR'));
}

/** A connection ended: the client drops the queries on it without calling back. */
export function lost({ metaData }: MemcachedSocket): void {
  for (const query of metaData ?? [])
    workOf<Call>(query)?.lose(new Unanswered('Connection closed'));
}
