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
/** How long chunks wait for a resource whose attributes are still being detected. */
const RESOURCE_MILLIS = 1000;
const MAX_HELD_BYTES = 8 * 1024 * 1024;

/**
 * The longest time, in milliseconds, that spans of a worker thread wait to be posted: a thread that
 * is terminated cannot post any more, and spans it has not posted are lost.
 */
const MAX_WORKER_DELAY = 10;

/**
 * A span processor that sends spans over OTLP/HTTP, and counts every span it has to drop.
 *
 * Each span is encoded when it ends, kept as bytes until the collector has accepted it, and sent
 * from a separate thread. It replaces both a batch processor and its exporter, with OpenTelemetry
 * JS 2.x and 3.x: `new BasicTracerProvider({ spanProcessors: [createDelivery()] })`.
 * `installExitHandlers` makes the process wait for it at exit.
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
  /** Whether spans were started since everything was sent; the listener has then been called. */
  #isUnsent = false;
  #onUnsent: (() => void) | undefined;
  /** True while spans are written or handed on, when a nested call must be refused. */
  #isBusy = false;

  constructor(options: DeliveryOptions = {}, sharedSender?: MessagePort) {
    const shared = options.thread === false ? undefined : sharedSender;
    this.#options = resolveOptions(options);
    if (shared) {
      const { scheduleDelayMillis } = this.#options;
      this.#options.scheduleDelayMillis = Math.min(scheduleDelayMillis, MAX_WORKER_DELAY);
    }
    // Timers and the sender are created in the root context, not in the context of the code that
    // ends a span.
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

  /** Counts a span that has started. Never throws. */
  onStart(span: Pick<EndedSpan, 'spanContext'>): void {
    if (this.#isShutDown) return;
    if ((span.spanContext().traceFlags & SAMPLED) === 0) return;
    this.#started++;
    if (!this.#isUnsent) this.#becomeUnsent();
  }

  /** Encodes a span, queues it, and writes it to the spool, if there is one. Never throws. */
  onEnd(span: EndedSpan): void {
    if ((span.spanContext().traceFlags & SAMPLED) === 0) return;
    this.#counts.ended++;
    // A span that was started before this processor was added is not counted.
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

  /**
   * Sends the spans that have ended so far. Resolves once they are sent, or when the flush timeout
   * is over.
   */
  async forceFlush(): Promise<void> {
    await this.#resourcesKnown();
    this.#handOn();
    this.#release();
    if (this.#isIdle) return;
    await this.#senders.current?.drain(this.#options.flushLimits);
  }

  /** Sends the remaining spans and stops the sender. Spans that end meanwhile are still sent. */
  shutdown(): Promise<void> {
    this.#shutdown ??= this.#close();
    return this.#shutdown;
  }

  /** Counts of the spans that have ended, by where they are now. */
  stats(): DeliveryStats {
    this.#counts.open = this.#log.count + this.#heldSpans;
    this.#counts.openBytes = this.#log.bytes + this.#heldBytes;
    return toStats(this.#counts, this.#senders.counts());
  }

  /** The options in force. */
  get options(): Readonly<ResolvedOptions> {
    return this.#options;
  }

  /** The spool's folder; undefined if there is no spool. */
  get spoolFolder(): string | undefined {
    return this.#spool?.folder;
  }

  /**
   * Sends the spans that have ended, blocking, within the limits for the exit of a process. From
   * then on, each span is sent as soon as it ends. Returns false if spans are left.
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

  /** Whether `flushAtExit` can send the queued spans. Starts the sender if necessary. */
  canFlushAtExit(): boolean {
    if (this.stats().queued === 0) return true;
    // A thread that is started now would have Node emit `beforeExit` again; `exit` starts it, too.
    if (this.#senders.current === undefined && this.#senders.mayStartThread) return true;
    this.#handOn();
    this.#release();
    return this.#senders.current?.hasThread ?? true;
  }

  /**
   * Returns a port to the sender, to pass to the delivery of a worker thread as `sharedSender`;
   * undefined if the sender has no thread.
   */
  shareSender(): MessagePort | undefined {
    if (this.#isShutDown) return undefined;
    return this.#senders.use().share?.();
  }

  /** Posts the spans that have ended to the sender now, without waiting for the batch delay. */
  handOn(): void {
    if (this.#log.count > 0) this.#handOn();
  }

  /**
   * Calls `listener` when a span starts or ends while `hasUnsent` is false. Returns a function that
   * removes it. There is only one listener at a time.
   */
  onUnsent(listener: () => void): () => void {
    this.#onUnsent = listener;
    if (this.hasUnsent) this.#becomeUnsent();
    return () => (this.#onUnsent = undefined);
  }

  /** Whether any span is still open, queued or in a request under way. */
  get hasUnsent(): boolean {
    if (this.#isUnsent && this.#started === 0 && this.stats().queued === 0) this.#isUnsent = false;
    return this.#isUnsent;
  }

  /** Makes the sender's thread, if there is one, watch whether this thread is stuck. */
  watchForStuckThread(watched: Watched): void {
    const link = this.#senders.use();
    if (link.hasThread) link.post({ type: 'watch', ...watched });
  }

  /**
   * Same as `handOn`, but safe to call in the middle of any code; returns false if that code is
   * clew's own.
   */
  handOnAmidst(): boolean {
    if (this.#isBusy) return false;
    this.handOn();
    return true;
  }

  /** Sends the spans that have ended, blocking. Returns false if the sender has no thread. */
  flushSync(limits: DrainLimits): boolean {
    this.#handOn();
    this.#release();
    this.#log.seal(true);
    if (this.#isIdle) return true;
    if (!this.#senders.current?.drainSync(limits)) return false;
    return this.stats().queued === 0;
  }

  /** Whether there is nothing to wait for. Spans found in a spool may not have been counted yet. */
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
    // A segment is closed by age, so a timer has to check the clock.
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

  /** Looks for a meter provider, which may be registered after clew. */
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
    // Spans that ended while the rest was being sent.
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

  /** Logs the closing lines; a second time only if more spans were lost since. */
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

/** Creates a delivery from plain options. Every option has a default. */
export function createDelivery(options: DeliveryOptions = {}): DeliverySpanProcessor {
  return new DeliverySpanProcessor(options);
}
