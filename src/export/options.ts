import { optionError, urlError } from '../base/errors.ts';
import type { Target } from './sender/http-transport.ts';
import type { Backoff } from './sender/outcome.ts';
import type {
  DrainLimits,
  OverflowPolicy,
  SenderOptions,
  SpoolOptions,
} from './sender/sender-options.ts';

/** Options of a delivery. Everything has a default. */
export interface DeliveryOptions {
  /** Where traces go, path included. Default `http://127.0.0.1:4318/v1/traces`. */
  url?: string;
  /** Default `http/protobuf`. */
  protocol?: 'http/protobuf' | 'http/json';
  /** Default `gzip`, and `none` where the collector is on this machine. */
  compression?: 'gzip' | 'none';
  headers?: Record<string, string>;
  /** How long one request may take. Default 10,000. */
  timeoutMillis?: number;
  /** PEM text. */
  tls?: { ca?: string; cert?: string; key?: string };
  /** How long a span waits for company before it is handed to the sender. Default 200. */
  scheduleDelayMillis?: number;
  /** What may wait in memory, in bytes as sent. Default 64 MiB. */
  maxQueueBytes?: number;
  /** The same in spans. Default: no limit but bytes. */
  maxQueueSpans?: number;
  /** The largest request before compression. Default 1 MiB. */
  maxBatchBytes?: number;
  /** The same in spans. Default: no limit but bytes. */
  maxBatchSpans?: number;
  /** Requests under way at the same time. Default 8. */
  maxInFlight?: number;
  /**
   * Default `drop-oldest`; with `block`, the application waits when the queue is full, for which
   * the sender needs a thread of its own.
   */
  onOverflow?: OverflowPolicy;
  /** How long it waits at most, per chunk of spans. Default 1,000. */
  blockMillis?: number;
  /** Waits between attempts while the collector fails. Default 500, doubled up to 30,000. */
  backoff?: Partial<Backoff>;
  /** How often a request that is refused (401, 404, ...) is offered before it is set aside. */
  maxRefusals?: number;
  /** How long `forceFlush()` and `shutdown()` may take in all. Default 30,000. */
  flushTimeoutMillis?: number;
  /** When they give up on a collector that fails. Default 3,000. */
  flushFailingMillis?: number;
  /**
   * When the end of the process gives up on a collector that took spans and takes no more. While it
   * takes them, the end goes on. Default 5,000.
   */
  exitTimeoutMillis?: number;
  /** When it gives up on a collector that has taken nothing yet, or failed last. Default 600. */
  exitStallMillis?: number;
  /** Write-ahead spool: a folder of one's own, absolute. Default: none. */
  spool?: string | undefined;
  /** Default 256 MiB. */
  spoolMaxBytes?: number;
  /** Default two days. */
  spoolMaxAgeMillis?: number;
  /** False sends from the application's thread. Default true. */
  thread?: boolean;
}

/** The options in force, in the shape the parts take them. */
export interface ResolvedOptions {
  sender: SenderOptions;
  scheduleDelayMillis: number;
  blockMillis: number;
  flushLimits: DrainLimits;
  exitLimits: DrainLimits;
  thread: boolean;
}

export const DEFAULT_URL = 'http://127.0.0.1:4318/v1/traces';
const MIB = 1024 * 1024;
const DAY = 24 * 3600 * 1000;
const UNLIMITED: number = Number.MAX_SAFE_INTEGER;

/** Fills in defaults; throws an `ERR_OPTION` that names the first value which makes no sense. */
export function resolveOptions(options: DeliveryOptions): ResolvedOptions {
  const target = toTarget(options);
  const onOverflow = options.onOverflow ?? 'drop-oldest';
  if (!['drop-oldest', 'drop-newest', 'block'].includes(onOverflow)) {
    throw optionError('onOverflow', 'drop-oldest, drop-newest or block', onOverflow);
  }
  const initialMillis = positive('backoff.initialMillis', options.backoff?.initialMillis, 500);
  // Without a thread of its own, the sender could make no room while the application waits.
  const policy = onOverflow === 'block' && options.thread === false ? 'drop-oldest' : onOverflow;
  return {
    sender: {
      target,
      maxInFlight: positive('maxInFlight', options.maxInFlight, 8),
      maxBatchBytes: positive('maxBatchBytes', options.maxBatchBytes, MIB),
      maxBatchSpans: positive('maxBatchSpans', options.maxBatchSpans, UNLIMITED),
      maxQueueBytes: positive('maxQueueBytes', options.maxQueueBytes, 64 * MIB),
      maxQueueSpans: positive('maxQueueSpans', options.maxQueueSpans, UNLIMITED),
      onOverflow: policy,
      backoff: {
        initialMillis,
        maxMillis: positive('backoff.maxMillis', options.backoff?.maxMillis, 30_000),
      },
      maxRefusals: positive('maxRefusals', options.maxRefusals, 10),
      spool: toSpool(options),
    },
    scheduleDelayMillis: positive('scheduleDelayMillis', options.scheduleDelayMillis, 200),
    blockMillis: positive('blockMillis', options.blockMillis, 1000),
    flushLimits: {
      totalMillis: positive('flushTimeoutMillis', options.flushTimeoutMillis, 30_000),
      // One request may run into its time-out, and be tried again.
      stallMillis: target.timeoutMillis + 2000,
      failingMillis: positive('flushFailingMillis', options.flushFailingMillis, 3000),
      atExit: false,
    },
    exitLimits: {
      totalMillis: positive('exitTimeoutMillis', options.exitTimeoutMillis, 5000),
      stallMillis: positive('exitStallMillis', options.exitStallMillis, 600),
      failingMillis: 0,
      atExit: true,
    },
    thread: options.thread ?? true,
  };
}

function toTarget(options: DeliveryOptions): Target {
  const { url = DEFAULT_URL, protocol = 'http/protobuf' } = options;
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  if (!parsed || !['http:', 'https:'].includes(parsed.protocol)) {
    throw urlError('url', url);
  }
  if (protocol !== 'http/protobuf' && protocol !== 'http/json') {
    throw optionError('protocol', 'http/protobuf or http/json', protocol);
  }
  const compression = options.compression ?? (isLoopback(parsed.hostname) ? 'none' : 'gzip');
  if (compression !== 'gzip' && compression !== 'none') {
    throw optionError('compression', 'gzip or none', compression);
  }
  return {
    url,
    protocol,
    compression,
    headers: { ...options.headers },
    timeoutMillis: positive('timeoutMillis', options.timeoutMillis, 10_000),
    ...(options.tls && { tls: { ...options.tls } }),
  };
}

function toSpool(options: DeliveryOptions): SpoolOptions | undefined {
  if (!options.spool) return undefined;
  return {
    folder: options.spool,
    maxBytes: positive('spoolMaxBytes', options.spoolMaxBytes, 256 * MIB),
    maxAgeMillis: positive('spoolMaxAgeMillis', options.spoolMaxAgeMillis, 2 * DAY),
  };
}

function positive(name: string, value: number | undefined, fallback: number): number {
  if (value === undefined) return fallback;
  if (!Number.isFinite(value) || value <= 0) throw optionError(name, 'a positive number', value);
  return value;
}

/** Whether compressing would cost more than sending: the collector is on this machine. */
export function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || hostname.startsWith('127.');
}
