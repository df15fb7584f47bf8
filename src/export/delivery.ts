import type { AsyncResource } from 'node:async_hooks';
import { clearTimeout, setTimeout } from 'node:timers';
import type { MessagePort } from 'node:worker_threads';

import { messageOf } from '../base/errors.ts';
import { say, sayOnce } from '../base/log.ts';
import { resourceOutsideTrace } from '../carry/root-context.ts';
import type { DropReason } from './sender/counters.ts';
import { resolveOptions, type DeliveryOptions, type ResolvedOptions } from './options.ts';
import type { DrainLimits } from './sender/sender-options.ts';
import { reportLoss } from './loss-report.ts';
import { findMeter, observeDelivery } from './self-metrics.ts';
import { Senders } from './sender/senders.ts';
import { CHUNK_BYTES, SpanBuffer, type Chunk } from './span-buffer.ts';
import type { EndedSpan, ResourceShape } from './encoding/span-shape.ts';
import { SpoolWriter } from './spool/spool-writer.ts';
import type { Watched } from './sender/stuck-thread.ts';
import { noDrops, toStats, type DeliveryStats, type LocalCounts } from './stats.ts';

const SAMPLED = 1;
/** Chunks wait this long for a resource whose attributes are still being found out. */
const RESOURCE_MILLIS = 1000;
const MAX_HELD_BYTES = 8 * 1024 * 1024;

/**
 * The longest that spans of a worker thread wait to be posted, in milliseconds: a thread that is
 * terminated has no say, and what it has not posted is lost.
 */
const MAX_WORKER_DELAY = 10;

/**
 * A span processor that loses nothing it can help losing, and counts what it does.
 *
 * Each span is encoded when it ends, kept as bytes until the collector has taken it, and sent from
 * a thread of its own. It stands in for a batch processor and its exporter together, with
 * OpenTelemetry JS 2.x and 3.x: `new BasicTracerProvider({ spanProcessors: [createDelivery()] })`.
 * `installExitHandlers` makes sure that the end of the process waits for it.
 */
export class DeliverySpanProcessor {
  readonly #options: ResolvedOptions;
  readonly #root: AsyncResource;
  readonly #spool: SpoolWriter | undefined;
  readonly #log: SpanBuffer;
  readonly #senders: Senders;
  readonly #counts: LocalCounts = {
    ended: 0,
    posted: 0,
    dropped: noDrops(),
    open: 0,
    openBytes: 0,
  };
  #timer: NodeJS.Timeout | undefined;
  #pending = new Set<Promise<void>>();
  #held: { chunk: Chunk; count: number }[] = [];
  #heldSpans = 0;
  #heldBytes = 0;
  #shutdown: Promise<void> | undefined;
  #isShutDown = false;
  #reported = 0;
  #unobserve: (() => void) | undefined;
  #exitLimits: DrainLimits | undefined;
  /** Spans that were started and have not ended. */
  #started = 0;
  /** Whether spans were started since all was sent; then it was told. */
  #isUnsent = false;
  #onUnsent: (() => void) | undefined;
  /** While spans are written or handed on, where a call amid that would be one too many. */
  #isBusy = false;

  constructor(options: DeliveryOptions = {}, sharedSender?: MessagePort) {
    const shared = options.thread === false ? undefined : sharedSender;
    this.#options = resolveOptions(options);
    if (shared) {
      const { scheduleDelayMillis } = this.#options;
      this.#options.scheduleDelayMillis = Math.min(scheduleDelayMillis, MAX_WORKER_DELAY);
    }
    // Timers and the sender are born in the root context, not in that of whoever ends a span.
    this.#root = resourceOutsideTrace('clew.delivery');
    this.#spool = this.#openSpool();
    this.#log = new SpanBuffer(
      this.#spool,
      (id, path) => this.#senders.current?.post({ type: 'seal', id, path }),
      (resource) => this.#await(resource),
    );
    this.#senders = new Senders(this.#options, this.#root, this.#spool?.folder, shared, () =>
      this.#log.forgetDefinitions(),
    );
    if (this.#spool) this.#senders.use();
  }

  /** Counts a span that will be sent. Never throws. */
  onStart(span: Pick<EndedSpan, 'spanContext'>): void {
    if (this.#isShutDown) return;
    if ((span.spanContext().traceFlags & SAMPLED) === 0) return;
    this.#started++;
    if (!this.#isUnsent) this.#becomeUnsent();
  }

  /** Takes a span over: encodes it, and writes it ahead where there is a spool. Never throws. */
  onEnd(span: EndedSpan): void {
    if ((span.spanContext().traceFlags & SAMPLED) === 0) return;
    this.#counts.ended++;
    // One that was started before this processor was added is not among them.
    if (this.#started > 0) this.#started--;
    if (this.#isShutDown) return this.#drop('after_shutdown', 1);
    if (!this.#isUnsent) this.#becomeUnsent();
    this.#isBusy = true;
    try {
      if (this.#log.needsNewChunk(span)) this.#handOn();
      this.#log.append(span);
    } catch (error) {
      this.#drop('unencodable', 1);
      sayOnce(
        'warn',
        'delivery:unencodable',
        `A span cannot be sent (${messageOf(error)}); it and others like it are counted as dropped.`,
      );
      return;
    } finally {
      this.#isBusy = false;
    }
    if (this.#exitLimits) this.flushSync(this.#exitLimits);
    else if (this.#log.bytes >= CHUNK_BYTES) this.#handOn();
    else if (!this.#timer) this.#arm();
  }

  /** Sends what has ended so far; resolves when it is out, or when the time for that is over. */
  async forceFlush(): Promise<void> {
    await this.#resourcesKnown();
    this.#handOn();
    this.#release();
    if (this.#isIdle) return;
    await this.#senders.current?.drain(this.#options.flushLimits);
  }

  /** Sends what is left and ends the sender. Spans that end meanwhile are still sent. */
  shutdown(): Promise<void> {
    this.#shutdown ??= this.#close();
    return this.#shutdown;
  }

  /** Where every span is that has ended. */
  stats(): DeliveryStats {
    this.#counts.open = this.#log.count + this.#heldSpans;
    this.#counts.openBytes = this.#log.bytes + this.#heldBytes;
    return toStats(this.#counts, this.#senders.counts());
  }

  /** The options in force. */
  get options(): Readonly<ResolvedOptions> {
    return this.#options;
  }

  /** Where spans outlive this process; undefined where there is no spool. */
  get spoolFolder(): string | undefined {
    return this.#spool?.folder;
  }

  /**
   * Sends what has ended, blocking, within the limits for the end of a process. From then on each
   * span that ends is sent at once, since there may be no later. Returns false where spans are left.
   */
  flushAtExit(): boolean {
    this.#exitLimits = this.#options.exitLimits;
    if (this.#isShutDown) {
      this.#report();
      return true;
    }
    const done = this.flushSync(this.#exitLimits);
    this.#spool?.removeIfEmpty();
    this.#report();
    return done;
  }

  /** Whether `flushAtExit` will be able to send what waits; for that, the sender is started. */
  canFlushAtExit(): boolean {
    if (this.stats().queued === 0) return true;
    // A thread that is started now would have Node emit `beforeExit` again; `exit` starts it, too.
    if (this.#senders.current === undefined && this.#senders.mayStartThread) return true;
    this.#handOn();
    this.#release();
    return this.#senders.current?.hasThread ?? true;
  }

  /**
   * A line to the sender for the delivery of a worker thread, to be given to it as `sharedSender`;
   * undefined where the sender has no thread.
   */
  shareSender(): MessagePort | undefined {
    if (this.#isShutDown) return undefined;
    return this.#senders.use().share?.();
  }

  /** Posts what has ended to the sender now, as after a moment it would be. */
  handOn(): void {
    if (this.#log.count > 0) this.#handOn();
  }

  /**
   * Calls `listener` when a span is started, or ends, after `hasUnsent` was false; returns the undo. There is
   * one listener.
   */
  onUnsent(listener: () => void): () => void {
    this.#onUnsent = listener;
    if (this.hasUnsent) this.#becomeUnsent();
    return () => (this.#onUnsent = undefined);
  }

  /** Whether a span has not ended, waits to be sent or is on its way. */
  get hasUnsent(): boolean {
    if (this.#isUnsent && this.#started === 0 && this.stats().queued === 0) this.#isUnsent = false;
    return this.#isUnsent;
  }

  /** Has the sender's thread, where there is one, watch for this thread to stand still. */
  watchForStuckThread(watched: Watched): void {
    const link = this.#senders.use();
    if (link.hasThread) link.post({ type: 'watch', ...watched });
  }

  /** The same as `handOn`, to be called amid any code: false where that is our own. */
  handOnAmidst(): boolean {
    if (this.#isBusy) return false;
    this.handOn();
    return true;
  }

  /** Sends what has ended, blocking. Without a thread it cannot, and returns false. */
  flushSync(limits: DrainLimits): boolean {
    this.#handOn();
    this.#release();
    this.#log.seal(true);
    if (this.#isIdle) return true;
    if (!this.#senders.current?.drainSync(limits)) return false;
    return this.stats().queued === 0;
  }

  /** Whether there is nothing to wait for. What a spool brings may not have been counted yet. */
  get #isIdle(): boolean {
    return this.stats().queued === 0 && !this.#spool;
  }

  #openSpool(): SpoolWriter | undefined {
    const { spool } = this.#options.sender;
    if (!spool) return undefined;
    try {
      return new SpoolWriter(spool.folder);
    } catch (error) {
      sayOnce(
        'error',
        `spool:${spool.folder}`,
        `Not using the spool: ${messageOf(error)}. Spans wait in memory only.`,
      );
      this.#options.sender.spool = undefined;
      return undefined;
    }
  }

  #arm(): void {
    this.#timer = this.#root.runInAsyncScope(() => {
      return setTimeout(() => this.#tick(), this.#options.scheduleDelayMillis).unref();
    });
  }

  #tick(): void {
    this.#timer = undefined;
    this.#handOn();
    // A segment is closed by age, for which somebody has to look at the clock.
    if (this.#log.hasOpenSegment) this.#arm();
  }

  #becomeUnsent(): void {
    this.#isUnsent = true;
    this.#onUnsent?.();
  }

  #handOn(): void {
    const wasBusy = this.#isBusy;
    this.#isBusy = true;
    try {
      this.#takeChunk();
    } finally {
      this.#isBusy = wasBusy;
    }
  }

  #takeChunk(): void {
    const count = this.#log.count;
    const chunk = this.#log.take();
    if (chunk) {
      if (this.#pending.size > 0 && this.#heldBytes < MAX_HELD_BYTES) this.#hold(chunk, count);
      else {
        this.#release();
        this.#post(chunk, count);
      }
    }
    this.#log.seal(false);
    if (!this.#unobserve) this.#observe();
  }

  /** Looks for a meter provider, which may be registered after us. */
  #observe(): void {
    const meter = findMeter();
    if (meter) this.#unobserve = observeDelivery(meter, () => this.stats());
  }

  #post(chunk: Chunk, count: number): void {
    if (this.#senders.post(chunk, count)) this.#counts.posted += count;
    else this.#drop('overflow', count);
  }

  #hold(chunk: Chunk, count: number): void {
    this.#held.push({ chunk, count });
    this.#heldSpans += count;
    this.#heldBytes += chunk.bytes.byteLength;
  }

  #release(): void {
    for (const { chunk, count } of this.#held.splice(0)) {
      this.#heldSpans -= count;
      this.#heldBytes -= chunk.bytes.byteLength;
      this.#post(chunk, count);
    }
  }

  /** Holds chunks back until the resource's attributes are known, for a second at most. */
  #await(resource: ResourceShape): void {
    const known = Promise.resolve(resource.waitForAsyncAttributes?.()).catch(() => undefined);
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => {
      timer = this.#root.runInAsyncScope(() => setTimeout(resolve, RESOURCE_MILLIS).unref());
    });
    const settled: Promise<void> = Promise.race([known, late]).then(() => {
      clearTimeout(timer);
      this.#pending.delete(settled);
      const definition = this.#log.redefine(resource);
      if (definition) this.#post(definition, 0);
      if (this.#pending.size === 0) this.#release();
    });
    this.#pending.add(settled);
  }

  async #resourcesKnown(): Promise<void> {
    if (this.#pending.size === 0) return;
    const hold = setTimeout(() => undefined, RESOURCE_MILLIS);
    await Promise.all(this.#pending);
    clearTimeout(hold);
  }

  async #close(): Promise<void> {
    await this.#resourcesKnown();
    this.#handOn();
    this.#release();
    this.#log.seal(true);
    if (!this.#isIdle) await this.#senders.current?.drain(this.#options.flushLimits);
    // What ended while the rest was on its way.
    if (this.#log.count > 0) {
      this.#handOn();
      this.#log.seal(true);
      await this.#senders.current?.drain(this.#options.flushLimits);
    }
    this.#isShutDown = true;
    clearTimeout(this.#timer);
    await this.#senders.close();
    this.#spool?.removeIfEmpty();
    this.#unobserve?.();
    this.#report();
  }

  /** The closing lines, again only where more was lost since. */
  #report(): void {
    const { lost, kept, loss } = reportLoss(this.stats(), this.#spool?.folder);
    if (kept && this.#reported === 0) say('info', kept);
    if (loss && lost > this.#reported) say('warn', loss);
    this.#reported = Math.max(this.#reported, lost);
  }

  #drop(reason: DropReason, count: number): void {
    this.#counts.dropped[reason] += count;
  }
}

/** Makes a delivery out of plain options; what is left out has a default. */
export function createDelivery(options: DeliveryOptions = {}): DeliverySpanProcessor {
  return new DeliverySpanProcessor(options);
}
