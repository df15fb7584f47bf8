import { performance } from 'node:perf_hooks';

import { TraceFlags } from '@opentelemetry/api';

import type { RequestReport } from './async-resource-tracer.ts';
import type { Split } from './loop-clock.ts';
import type { Parts } from './parts.ts';
import { hasFailed } from './request-line.ts';

/*
 * Totals of the requests of a run: by name, and the slowest one by one. Plain data, which is merged
 * across the processes of an application.
 */

/** The requests of one name. */
export interface NameTotals {
  name: string;
  count: number;
  totalMs: number;
  maxMs: number;
  parts: Parts;
  /** The number that failed; absent if none. */
  failed?: number;
}

export interface SlowRequest {
  name: string;
  /** The trace id of its span, if that is sampled. */
  traceId?: string;
  /** Milliseconds since 1970. */
  startMs: number;
  durationMs: number;
  parts: Parts;
  blockedBy?: { name: string; ms: number };
  /** The status code of its response. */
  statusCode?: number;
  failed?: true;
}

export interface RequestTotals {
  requests: number;
  /** The name with the most time first. */
  names: NameTotals[];
  /** Requests whose names exceeded the limit. */
  otherRequests: number;
  /** The slowest first. */
  slowest: SlowRequest[];
  /** Those in which a process ended, the first ones. */
  endedProcess?: EndedProcess[];
}

/** A request in which its process ended, by an exception that nothing caught or by `process.exit()`. */
export interface EndedProcess {
  name: string;
  /** The trace id of its span, if that is sampled. */
  traceId?: string;
  failed?: true;
}

const MAX_NAMES = 200;
const MAX_SLOWEST = 10;
const MAX_ENDED = 5;

/** Adds up requests, in bounded memory. */
export class RequestSums {
  readonly #names = new Map<string, NameTotals>();
  #requests = 0;
  #otherRequests = 0;
  #slowest: SlowRequest[] = [];
  readonly #endedProcess: EndedProcess[] = [];

  add({ owner, split, endedProcess }: RequestReport): void {
    const name = owner.label;
    const failed = hasFailed(owner);
    const parts = partsOf(split);
    this.#requests += 1;
    const { totalMillis } = split;
    this.#sum({
      name,
      count: 1,
      totalMs: totalMillis,
      maxMs: totalMillis,
      parts,
      failed: Number(failed),
    });
    const { spanContext, startedAt, statusCode } = owner;
    const isSampled = spanContext && (spanContext.traceFlags & TraceFlags.SAMPLED) !== 0;
    const identify = (): EndedProcess => ({
      name,
      ...(isSampled ? { traceId: spanContext.traceId } : {}),
      ...(failed ? { failed } : {}),
    });
    if (endedProcess) this.#addEnded([identify()]);
    const least = this.#slowest.at(-1)?.durationMs ?? 0;
    if (this.#slowest.length >= MAX_SLOWEST && totalMillis <= least) return;
    const { blockedBy } = split;
    this.#keep([
      {
        ...identify(),
        startMs: performance.timeOrigin + startedAt,
        durationMs: totalMillis,
        parts,
        ...(statusCode === undefined ? {} : { statusCode }),
        ...(blockedBy
          ? { blockedBy: { name: blockedBy.owner?.label ?? blockedBy.label, ms: blockedBy.millis } }
          : {}),
      },
    ]);
  }

  /** Adds the totals of another process. */
  merge({ requests, names, otherRequests, slowest, endedProcess = [] }: RequestTotals): void {
    this.#requests += requests;
    this.#otherRequests += otherRequests;
    for (const one of names) this.#sum(one);
    this.#keep(slowest);
    this.#addEnded(endedProcess);
  }

  totals(): RequestTotals {
    return {
      requests: this.#requests,
      names: [...this.#names.values()].sort((a, b) => b.totalMs - a.totalMs),
      otherRequests: this.#otherRequests,
      slowest: this.#slowest,
      ...(this.#endedProcess.length > 0 ? { endedProcess: this.#endedProcess } : {}),
    };
  }

  #sum({ name, count, totalMs, maxMs, parts, failed = 0 }: NameTotals): void {
    let known = this.#names.get(name);
    if (!known) {
      if (this.#names.size >= MAX_NAMES) {
        this.#otherRequests += count;
        return;
      }
      const none = { runningMs: 0, ioMs: 0, loopMs: 0 };
      this.#names.set(name, (known = { name, count: 0, totalMs: 0, maxMs: 0, parts: none }));
    }
    known.count += count;
    if (failed > 0) known.failed = (known.failed ?? 0) + failed;
    known.totalMs += totalMs;
    known.maxMs = Math.max(known.maxMs, maxMs);
    for (const part of ['runningMs', 'ioMs', 'loopMs'] as const) known.parts[part] += parts[part];
  }

  #addEnded(added: readonly EndedProcess[]): void {
    this.#endedProcess.push(...added.slice(0, MAX_ENDED - this.#endedProcess.length));
  }

  #keep(added: readonly SlowRequest[]): void {
    const all = [...this.#slowest, ...added].sort((a, b) => b.durationMs - a.durationMs);
    this.#slowest = all.slice(0, MAX_SLOWEST);
  }
}

function partsOf({ runMillis, ioMillis, loopMillis }: Split): Parts {
  return { runningMs: runMillis, ioMs: ioMillis, loopMs: loopMillis };
}
