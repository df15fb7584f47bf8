import type { LogLevel } from '../../base/log.ts';
import type { Failure } from './advice.ts';
import type { DropReason } from './counters.ts';
import { messageOf } from '../../base/errors.ts';
import { MAX_RETRY_AFTER_MILLIS } from './outcome.ts';

/*
 * The sender's log lines. An outage is logged in two lines, at its beginning and at its end. A
 * message that may repeat is logged once a minute, with its count. No line contains a header or a
 * URL's credentials.
 */

export type Speak = (
  level: Exclude<LogLevel, 'none'>,
  message: string,
  state?: ExportState,
) => void;

/** Whether the collector accepts spans, for the doctor. */
export interface ExportState {
  target: string;
  failure?: { reason: string; isAbsent: boolean; isSilent?: boolean };
}

const QUIET_MILLIS = 60_000;

const WHY: Record<DropReason, string> = {
  overflow: 'too many were waiting (see CLEW_EXPORT_MAX_QUEUE_BYTES)',
  refused: 'the collector does not accept them',
  expired: 'they waited in the spool for too long',
  exit: 'the process ended first',
  after_shutdown: 'they ended after shutdown() had returned',
  unencodable: 'they could not be encoded',
  unreadable: 'they could not be read back from the spool',
  sender_died: 'the thread that sends them died',
};

interface Repeated {
  count: number;
  saidAt: number;
}

export class DeliveryLog {
  readonly #speak: Speak;
  readonly #address: string;
  #failingSince: number | undefined;
  #reason = '';
  readonly #repeated = new Map<string, Repeated>();

  constructor(url: string, speak: Speak) {
    this.#speak = speak;
    this.#address = withoutSecrets(url);
  }

  /**
   * Logs that the collector does not accept spans: once per outage, and again if the cause changes.
   */
  failing(
    { reason, advice, isAbsent = false, isSilent = false }: Failure,
    waiting: number,
    retryAfterMillis: number | undefined,
  ): void {
    this.#failingSince ??= performance.now();
    if (reason === this.#reason) return;
    this.#reason = reason;
    const after =
      retryAfterMillis === undefined
        ? 'Delivery is retried until it succeeds'
        : pause(retryAfterMillis);
    this.#speak(
      'warn',
      `No spans reach the collector at ${this.#address} (${reason}); ${spans(waiting)} waiting. ${after}. ${advice}`,
      { target: this.#address, failure: { reason, isAbsent, isSilent } },
    );
  }

  resumed(waiting: number): void {
    if (this.#failingSince === undefined) return;
    const seconds = Math.round((performance.now() - this.#failingSince) / 1000);
    this.#failingSince = undefined;
    if (this.#reason === '') return;
    this.#reason = '';
    this.#speak(
      'info',
      `The collector at ${this.#address} accepts spans again, after ${seconds} s; ${spans(waiting)} waited.`,
      { target: this.#address },
    );
  }

  rejected(count: number, message: string): void {
    const why = message ? `: ${message.slice(0, 200)}` : '';
    this.#repeat('rejected', count, (sum) => `The collector rejected ${spans(sum)}${why}.`);
  }

  setAside(count: number, reason: string, file: string | undefined): void {
    const where = file ? `; the request is kept in ${file}` : '';
    const state = { target: this.#address, failure: { reason, isAbsent: false } };
    this.#repeat(
      'set aside',
      count,
      (sum) => `Set aside ${spans(sum)} that the collector does not accept (${reason})${where}.`,
      state,
    );
  }

  dropped(reason: DropReason, count: number): void {
    if (reason === 'refused' || reason === 'exit') return;
    this.#repeat(reason, count, (sum) => `Dropped ${spans(sum)}: ${WHY[reason]}.`);
  }

  /** Logs a complete sentence about the spool. */
  spool(message: string): void {
    this.#speak('warn', message);
  }

  broken(error: unknown): void {
    this.#speak('error', `Delivery failed inside clew, please report it: ${messageOf(error)}`);
  }

  #repeat(key: string, count: number, message: (sum: number) => string, state?: ExportState): void {
    const now = performance.now();
    const repeated = this.#repeated.get(key) ?? { count: 0, saidAt: -Infinity };
    this.#repeated.set(key, repeated);
    repeated.count += count;
    if (now - repeated.saidAt < QUIET_MILLIS) return;
    this.#speak('warn', message(repeated.count), state);
    repeated.saidAt = now;
    repeated.count = 0;
  }
}

function pause(askedMillis: number): string {
  const asked = `It asked for a pause of ${Math.ceil(askedMillis / 1000)} s`;
  if (askedMillis <= MAX_RETRY_AFTER_MILLIS) return asked;
  return `${asked}; the next attempt is after ${MAX_RETRY_AFTER_MILLIS / 1000} s`;
}

export function spans(count: number): string {
  return `${count} ${count === 1 ? 'span' : 'spans'}`;
}

/** Returns the URL without user, password and query, which may contain keys. */
export function withoutSecrets(url: string): string {
  try {
    const { protocol, host, pathname } = new URL(url);
    return `${protocol}//${host}${pathname}`;
  } catch {
    return 'the configured endpoint';
  }
}
