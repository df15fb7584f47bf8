import { performance } from 'node:perf_hooks';
import { clearInterval, setInterval } from 'node:timers';

import type { HrTime, Span } from '@opentelemetry/api';

import { askForNames } from '../carry/request-names.ts';
import { messageOf, optionError } from '../base/errors.ts';
import { sayOnce } from '../base/log.ts';
import { Collector, type CollectorStats } from './record-collector.ts';
import { HookSet } from './hook-set.ts';
import { LoopClock, type LoopClockOptions, type Split } from './loop-clock.ts';
import { currentOwner, QUIET, runUntraced, type ResourceOwner, type Mark } from './owner.ts';
import { TRACER_LEVELS, type AsyncTrace, type TracerLevel } from './record.ts';
import { attributesWhenShown } from './resource-attributes.ts';
import {
  HttpRequests,
  httpRequests,
  type RequestHead,
  type RequestSource,
} from './request-source.ts';

const { nodeTiming } = performance;

/** The hooks of the tracer whose clock writes to the owners. */
let primary: HookSet | undefined;

const MAX_TRACED = 1000;
const MAX_REQUESTS = 20_000;

/** A request that has ended, and how its time was spent. */
export interface RequestReport {
  label: string;
  owner: ResourceOwner;
  split: Split;
  /** The process ended in it, by an exception that nothing caught or by `process.exit()`. */
  endedProcess?: true;
}

/** Options of `AsyncResourceTracer`. */
export interface AsyncResourceTracerOptions {
  /** The level `start()` begins at. Default `trace`. */
  level?: Exclude<TracerLevel, 'off'>;
  /** Called with each finished group. */
  onTrace?(trace: AsyncTrace): void;
  /** Called when a request ends. */
  onRequest?(report: RequestReport): void;
  /**
   * Returns whether to record this work at level `trace`. Called once per request, when it begins,
   * and with `undefined` for async resources that belong to no request. Default: everything.
   */
  select?(owner: ResourceOwner | undefined): boolean;
  /** Called when a request begins, before `select`. The request can be marked here. */
  onRequestStart?(owner: ResourceOwner, head: RequestHead): void;
  /** Whether creation stacks are kept. Default: at level `deep` only. */
  stacks?: boolean;
  /**
   * How many milliseconds a group may stay without an event, once its work is over, before it is
   * finished. Default 250.
   */
  idleMillis?: number;
  /** The maximum duration of a group, in milliseconds. Default 60,000. */
  maxMillis?: number;
  /**
   * The maximum number of async resources per group; a fifth is reserved for those that are not
   * promises. Default 10,000.
   */
  maxRecordsPerTrace?: number;
  /** The maximum number of async resources in all groups together. Default 100,000. */
  maxRecords?: number;
  /** The maximum number of callbacks per async resource. Default 100. */
  maxSlices?: number;
  /** The shortest run, in milliseconds, that counts as holding the loop. Default 5. */
  holdMillis?: number;
  /** The source of requests. Default: the servers of `node:http`. */
  requests?: RequestSource;
}

/** Counts of a tracer since its start. */
export interface TracerStats extends CollectorStats {
  level: TracerLevel;
  /** Requests in progress. */
  requests: number;
  /** Entries of who held the loop that were discarded before they were read. */
  holdsForgotten: number;
}

/**
 * Records the async resources of this process, grouped by request and by trigger root, and measures
 * which work ran on the event loop and for how long.
 *
 * Two tracers can run in one process, but each has its own hook, so one is cheaper.
 */
export class AsyncResourceTracer {
  readonly #options: AsyncResourceTracerOptions;
  readonly #listeners = new Set<(trace: AsyncTrace) => void>();
  readonly #requestListeners = new Set<(report: RequestReport) => void>();
  /** Requests recorded one by one at level `watch`. */
  readonly #traced = new Set<ResourceOwner>();
  readonly #selected = new WeakSet<ResourceOwner>();
  /** Readings at the start of requests, if another clock writes to the owners. */
  readonly #marks = new Map<ResourceOwner, Mark>();
  #requests = 0;
  readonly #source: RequestSource;
  readonly #collector: Collector;
  readonly #hooks: HookSet;
  #clock: LoopClock;
  #level: TracerLevel = 'off';
  #stopSource: (() => void) | undefined;
  #stopNames: (() => void) | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: AsyncResourceTracerOptions = {}) {
    checkOptions(options);
    this.#options = options;
    if (options.onTrace) this.#listeners.add((trace) => options.onTrace?.(trace));
    if (options.onRequest) this.#requestListeners.add((report) => options.onRequest?.(report));
    this.#source = options.requests ?? httpRequests;
    this.#clock = this.#newClock();
    this.#collector = new Collector({
      idleMillis: options.idleMillis ?? 250,
      maxMillis: options.maxMillis ?? 60_000,
      maxRecordsPerTrace: options.maxRecordsPerTrace ?? 10_000,
      maxRecords: options.maxRecords ?? 100_000,
      maxSlices: options.maxSlices ?? 100,
    });
    const source = this.#source;
    this.#hooks = new HookSet({
      collector: this.#collector,
      isTraced: (owner) => this.#isTraced(owner),
      ownerOfParser:
        source instanceof HttpRequests ? (resource) => source.ownerOfParser(resource) : undefined,
      onFailure: () => this.stop(),
    });
  }

  get level(): TracerLevel {
    return this.#level;
  }

  /** Records which work ran on the loop. Replaced each time the tracer is started. */
  get clock(): LoopClock {
    return this.#clock;
  }

  /** Whether async resources are recorded. They may become spans as late as the next flush. */
  get isCollecting(): boolean {
    return this.#level === 'trace' || this.#level === 'deep' || this.#traced.size > 0;
  }

  /** Starts at the level of the options, or changes to `level`. */
  start(level: TracerLevel = this.#options.level ?? 'trace'): this {
    return this.setLevel(level);
  }

  /** Stops, and passes the open groups to `onTrace`. */
  stop(): void {
    this.setLevel('off');
  }

  /** Changes the level, effective immediately, even while requests are in flight. */
  setLevel(level: TracerLevel): this {
    if (!TRACER_LEVELS.includes(level)) throw optionError('level', TRACER_LEVELS.join(', '), level);
    if (level === this.#level) return this;
    const wasOff = this.#level === 'off';
    this.#level = level;
    if (level === 'off') this.#turnOff();
    else if (wasOff) this.#turnOn();
    this.#applyLevel();
    return this;
  }

  /** Adds a listener for finished groups. Returns a function that removes it. */
  onTrace(listener: (trace: AsyncTrace) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Adds a listener for requests that have ended. Returns a function that removes it. */
  onRequest(listener: (report: RequestReport) => void): () => void {
    this.#requestListeners.add(listener);
    return () => this.#requestListeners.delete(listener);
  }

  /**
   * Records the async resources of this one request, at level `watch` too, from now until its group
   * is finished. While such a request is in flight, promises are observed as well.
   */
  traceOwner(owner: ResourceOwner): void {
    if (this.#level === 'off' || owner === QUIET) return;
    if (this.#traced.has(owner) || this.#traced.size >= MAX_TRACED) return;
    this.#traced.add(owner);
    this.#applyLevel();
  }

  /** Passes every finished group to the listeners now, and every open one too if `all` is true. */
  flush(all = false): void {
    const traces = all ? this.#collector.takeAll() : this.#collector.take(performance.now());
    if (traces.length === 0) return;
    runUntraced(() => {
      for (const trace of traces) this.#publish(this.#listeners, trace, 'onTrace');
    });
  }

  /** Adds the attributes of its async resource to a span that is about to end. @internal */
  describeShown(span: Span & { readonly startTime: HrTime }): void {
    const now = performance.now();
    const shown = this.#collector.endShown(span, now);
    if (!shown) return;
    const { record, owner } = shown;
    const [seconds, nanos] = span.startTime;
    const start = seconds * 1e3 + nanos / 1e6 - (owner?.epochOffset ?? performance.timeOrigin);
    span.setAttributes(attributesWhenShown(record, start, now));
  }

  #isTraced(owner: ResourceOwner | undefined): boolean {
    if (owner && this.#traced.has(owner)) return true;
    if (this.#level !== 'trace') return this.#level === 'deep';
    if (!this.#options.select) return true;
    return owner ? this.#selected.has(owner) : this.#options.select(undefined);
  }

  #forgetTraced(): void {
    if (this.#traced.size === 0) return;
    const now = performance.now();
    const { idleMillis = 250, maxMillis = 60_000 } = this.#options;
    for (const owner of this.#traced) {
      const isOver = owner.endedAt !== undefined && now - owner.endedAt > 2 * idleMillis;
      if (isOver || now - owner.startedAt > maxMillis) this.#traced.delete(owner);
    }
    if (this.#traced.size === 0) this.#applyLevel();
  }

  stats(): TracerStats {
    return {
      level: this.#level,
      requests: this.#source instanceof HttpRequests ? this.#source.size : this.#requests,
      holdsForgotten: this.#clock.holdsForgotten,
      ...this.#collector.stats(),
    };
  }

  #applyLevel(): void {
    const tracing = this.#level === 'watch' && this.#traced.size > 0;
    this.#hooks.install({
      clock: this.#clock,
      level: tracing ? 'trace' : this.#level,
      collects: this.isCollecting,
      stacks: this.#options.stacks ?? this.#level === 'deep',
    });
  }

  #turnOn(): void {
    this.#clock = this.#newClock();
    this.#stopNames = askForNames();
    primary ??= this.#hooks;
    this.#stopSource = this.#source.start({
      begin: (owner, head) => this.#begin(owner, head),
      end: (owner, endedProcess) => this.#end(owner, endedProcess),
    });
    const { idleMillis = 250 } = this.#options;
    this.#timer = runUntraced(() => setInterval(() => this.#sweep(), Math.max(20, idleMillis / 2)));
    this.#timer.unref();
    process.on('exit', this.#onExit);
  }

  #turnOff(): void {
    if (primary === this.#hooks) primary = undefined;
    process.off('exit', this.#onExit);
    clearInterval(this.#timer);
    this.#stopNames?.();
    this.#stopSource?.();
    this.#stopSource = undefined;
    this.#hooks.uninstall();
    this.#marks.clear();
    this.#requests = 0;
    this.#traced.clear();
    this.flush(true);
  }

  readonly #onExit = (): void => {
    if (this.#source instanceof HttpRequests) this.#source.endAtExit();
    this.stop();
  };

  #sweep(): void {
    if (this.#source instanceof HttpRequests) this.#source.sweep();
    this.flush();
    this.#forgetTraced();
  }

  #begin(owner: ResourceOwner, head: RequestHead): void {
    this.#clock.reserve(owner);
    this.#requests++;
    if (this.#requestListeners.size > 0) this.#read(owner);
    try {
      this.#options.onRequestStart?.(owner, head);
      if (owner.marked) this.traceOwner(owner);
      else if (this.#level !== 'watch' && this.#options.select?.(owner)) this.#selected.add(owner);
    } catch (error) {
      sayOnce('warn', 'tracer:start', `a callback of the tracer failed: ${messageOf(error)}`);
    }
  }

  #read(owner: ResourceOwner): void {
    if (primary === this.#hooks) owner.mark = this.#clock.mark(owner);
    else if (this.#marks.size < MAX_REQUESTS) this.#marks.set(owner, this.#clock.mark(owner));
  }

  #end(owner: ResourceOwner, endedProcess = false): void {
    // A request that began before this tracer was started does not belong to it.
    if (this.#requests > 0) this.#requests--;
    const mark = owner.mark?.clock === this.#clock ? owner.mark : this.#marks.get(owner);
    this.#marks.delete(owner);
    if (!mark) return;
    if (currentOwner() === owner) this.#clock.observe(owner);
    const report: RequestReport = {
      label: owner.label,
      owner,
      split: this.#clock.since(mark, owner),
    };
    if (endedProcess) report.endedProcess = true;
    runUntraced(() => this.#publish(this.#requestListeners, report, 'onRequest'));
  }

  #publish<T>(listeners: Set<(value: T) => void>, value: T, name: string): void {
    for (const listener of listeners) {
      try {
        listener(value);
      } catch (error) {
        sayOnce('warn', `tracer:${name}`, `a listener of ${name} failed: ${messageOf(error)}`);
      }
    }
  }

  #newClock(): LoopClock {
    const options: LoopClockOptions = {
      secondary: primary !== undefined,
      now: () => performance.now(),
      idle: () => nodeTiming.idleTime,
    };
    if (this.#options.holdMillis !== undefined) options.holdMillis = this.#options.holdMillis;
    return new LoopClock(options);
  }
}

function checkOptions(options: AsyncResourceTracerOptions): void {
  const { level } = options;
  if (level !== undefined && !TRACER_LEVELS.includes(level)) {
    throw optionError('level', TRACER_LEVELS.join(', '), level);
  }
  const names = [
    'idleMillis',
    'maxMillis',
    'maxRecordsPerTrace',
    'maxRecords',
    'maxSlices',
    'holdMillis',
  ] as const;
  for (const name of names) {
    const value = options[name];
    if (value !== undefined && !(Number.isFinite(value) && value > 0)) {
      throw optionError(name, 'a positive number', value);
    }
  }
}
