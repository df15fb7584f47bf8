import { optionError, urlError } from '../base/errors.ts';
import type { Target } from './sender/http-transport.ts';
import type { Backoff } from './sender/outcome.ts';
import type {
  DrainLimits,
  OverflowPolicy,
  SenderOptions,
  SpoolOptions,
} from './sender/sender-options.ts';

/** Options of a delivery. Every option has a default. */
export interface DeliveryOptions {
  /** The URL for traces, including the path. Default `http://127.0.0.1:4318/v1/traces`. */
  url?: string;
  /** Default `http/protobuf`. */
  protocol?: 'http/protobuf' | 'http/json';
  /** Default `gzip`, or `none` if the collector is on this machine. */
  compression?: 'gzip' | 'none';
  headers?: Record<string, string>;
  /** The timeout of one request. Default 10,000. */
  timeoutMillis?: number;
  /** PEM text. */
  tls?: { ca?: string; cert?: string; key?: string };
  /** How long spans are gathered before a batch goes to the sender. Default 200. */
  scheduleDelayMillis?: number;
  /** The maximum size of the queue in memory, in bytes as sent. Default 64 MiB. */
  maxQueueBytes?: number;
  /** The same, in spans. Default: limited by bytes only. */
  maxQueueSpans?: number;
  /** The maximum size of a request before compression. Default 1 MiB. */
  maxBatchBytes?: number;
  /** The same, in spans. Default: limited by bytes only. */
  maxBatchSpans?: number;
  /** The maximum number of concurrent requests. Default 8. */
  maxInFlight?: number;
  /**
   * Default `drop-oldest`. With `block`, the application waits while the queue is full; this
   * requires a sender thread.
   */
  onOverflow?: OverflowPolicy;
  /** How long `block` waits at most, per chunk of spans. Default 1,000. */
  blockMillis?: number;
  /** The delays between attempts while the collector fails. Default 500, doubled up to 30,000. */
  backoff?: Partial<Backoff>;
  /** How often a refused request (401, 404, ...) is sent before it is set aside. */
  maxRefusals?: number;
  /** The time limit of `forceFlush()` and `shutdown()`. Default 30,000. */
  flushTimeoutMillis?: number;
  /** The shorter limit of both while the collector fails. Default 3,000. */
  flushFailingMillis?: number;
  /**
   * At exit, how long to wait for a collector that accepted spans and then stopped. While it
   * accepts spans, sending continues. Default 5,000.
   */
  exitTimeoutMillis?: number;
  /**
   * At exit, how long to wait for a collector that has accepted nothing yet, or failed last.
   * Default 600.
   */
  exitStallMillis?: number;
  /**
   * The folder of the write-ahead spool: an absolute path, used for nothing else. Default: none.
   */
  spool?: string | undefined;
  /** Default 256 MiB. */
  spoolMaxBytes?: number;
  /** Default two days. */
  spoolMaxAgeMillis?: number;
  /**
   * Send from a separate thread. With false, spans are sent from the application's thread. Default
   * true.
   */
  thread?: boolean;
}

/** The options in force, in the form used by the parts of the delivery. */
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

/** Fills in defaults. Throws `ERR_OPTION` for the first invalid value. */
export function resolveOptions(options: DeliveryOptions): ResolvedOptions {
  const target = toTarget(options);
  const onOverflow = options.onOverflow ?? 'drop-oldest';
  if (!['drop-oldest', 'drop-newest', 'block'].includes(onOverflow)) {
    throw optionError('onOverflow', 'drop-oldest, drop-newest or block', onOverflow);
  }
  const initialMillis = positive('backoff.initialMillis', options.backoff?.initialMillis, 500);
  // Without a separate thread, the sender could not empty the queue while the application waits.
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
      // One request may time out and be retried.
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
