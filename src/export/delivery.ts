import { AsyncResource } from 'node:async_hooks';
import { clearTimeout, setTimeout } from 'node:timers';

import { context, ROOT_CONTEXT } from '@opentelemetry/api';

import { messageOf } from '../base/errors.ts';
import { say, sayOnce } from '../base/log.ts';
import { noCounts, type CounterValues, type DropReason } from './counters.ts';
import { resolveOptions, type DeliveryOptions, type ResolvedOptions } from './options.ts';
import type { DrainLimits } from './sender-options.ts';
import { reportLoss } from './loss-report.ts';
import { findMeter, observeDelivery } from './self-metrics.ts';
import { hasThreadFile, startInline, startThread, type SenderLink } from './sender-link.ts';
import { CHUNK_BYTES, SpanLog, type Chunk } from './span-log.ts';
import type { EndedSpan, ResourceShape } from './span-shape.ts';
import { SpoolWriter } from './spool-writer.ts';
import { noDrops, toStats, type DeliveryStats, type LocalCounts } from './stats.ts';

const SAMPLED = 1;
const MAX_DEATHS = 3;
/** Chunks wait this long for a resource whose attributes are still being found out. */
const RESOURCE_MILLIS = 1000;
const MAX_HELD_BYTES = 8 * 1024 * 1024;

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
  readonly #log: SpanLog;
  readonly #counts: LocalCounts = {
    ended: 0,
    posted: 0,
    dropped: noDrops(),
    open: 0,
    openBytes: 0,
  };
  #link: SenderLink | undefined;
  #postedToLink = 0;
  #postedBytes = 0;
  /** What senders that have ended counted. */
  #past: Partial<CounterValues> = {};
  #timer: NodeJS.Timeout | undefined;
  #pending = new Set<Promise<void>>();
  #held: { chunk: Chunk; count: number }[] = [];
  #heldSpans = 0;
  #heldBytes = 0;
  #shutdown: Promise<void> | undefined;
  #isShutDown = false;
  #reported = 0;
  #deaths = 0;
  #unobserve: (() => void) | undefined;
  #exitLimits: DrainLimits | undefined;

  constructor(options: DeliveryOptions = {}) {
    this.#options = resolveOptions(options);
    // Timers and the sender are born in the root context, not in that of whoever ends a span.
    this.#root = context.with(ROOT_CONTEXT, () => new AsyncResource('clew.delivery'));
    this.#spool = this.#openSpool();
    this.#log = new SpanLog(
      this.#spool,
      (id, path) => this.#link?.post({ type: 'seal', id, path }),
      (resource) => this.#await(resource),
    );
    if (this.#spool) this.#startLink();
  }

  onStart(): void {}

  /** Takes a span over: encodes it, and writes it ahead where there is a spool. Never throws. */
  onEnd(span: EndedSpan): void {
    if ((span.spanContext().traceFlags & SAMPLED) === 0) return;
    this.#counts.ended++;
    if (this.#isShutDown) return this.#drop('after_shutdown', 1);
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
    await this.#link?.drain(this.#options.flushLimits);
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
    return toStats(this.#counts, this.#senderCounts());
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
    this.#handOn();
    this.#release();
    return this.#link?.hasThread ?? true;
  }

  /** Sends what has ended, blocking. Without a thread it cannot, and returns false. */
  flushSync(limits: DrainLimits): boolean {
    this.#handOn();
    this.#release();
    this.#log.seal(true);
    if (this.#isIdle) return true;
    if (!this.#link?.drainSync(limits)) return false;
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

  #startLink(): SenderLink {
    this.#log.forgetDefinitions();
    this.#postedToLink = 0;
    this.#postedBytes = 0;
    this.#link = this.#root.runInAsyncScope(() => this.#makeLink());
    return this.#link;
  }

  /** A thread, or where there can be none (the permission model, a bundle), this thread. */
  #makeLink(): SenderLink {
    const { sender, thread } = this.#options;
    const folder = this.#spool?.folder;
    if (!thread || !hasThreadFile()) return startInline(sender, folder);
    try {
      if (this.#deaths >= MAX_DEATHS) throw new Error(`it died ${MAX_DEATHS} times`);
      return startThread(sender, folder);
    } catch (error) {
      sayOnce(
        'warn',
        'delivery:thread',
        `No thread to send spans from (${messageOf(error)}): they are sent from the application's.`,
      );
      return startInline(sender, folder);
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

  #handOn(): void {
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
    if (this.#link && !this.#link.isAlive) this.#bury();
    const link = this.#link ?? this.#startLink();
    const { byteLength } = chunk.bytes;
    if (!chunk.segment && !this.#hasRoom(link, byteLength)) return this.#drop('overflow', count);
    this.#counts.posted += count;
    this.#postedToLink += count;
    this.#postedBytes += byteLength;
    link.post(chunk);
  }

  /** Whether the way to the sender is not itself a queue without a bound. */
  #hasRoom(link: SenderLink, bytes: number): boolean {
    const { maxQueueBytes, onOverflow } = this.#options.sender;
    if (onOverflow === 'block') this.#waitForRoom(link, bytes);
    return this.#postedBytes - link.counters.read().receivedBytes < maxQueueBytes;
  }

  /** Blocks while the chunk would make the sender drop another; gives up after a while. */
  #waitForRoom({ counters }: SenderLink, bytes: number): void {
    const deadline = performance.now() + this.#options.blockMillis;
    for (;;) {
      const { version } = counters;
      const { receivedBytes, queuedBytes } = counters.read();
      const waiting = this.#postedBytes - receivedBytes + queuedBytes;
      if (waiting === 0 || waiting + bytes <= this.#options.sender.maxQueueBytes) return;
      const left = deadline - performance.now();
      if (left <= 0) return;
      counters.waitForChange(version, left);
    }
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
    if (!this.#isIdle) await this.#link?.drain(this.#options.flushLimits);
    // What ended while the rest was on its way.
    if (this.#log.count > 0) {
      this.#handOn();
      this.#log.seal(true);
      await this.#link?.drain(this.#options.flushLimits);
    }
    this.#isShutDown = true;
    clearTimeout(this.#timer);
    const link = this.#link;
    await link?.close();
    if (link) this.#bury();
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

  #senderCounts(): CounterValues {
    const values = this.#link?.counters.read();
    const sum = { ...noCounts(), ...values };
    for (const field of Object.keys(this.#past) as (keyof CounterValues)[]) {
      sum[field] += this.#past[field] ?? 0;
    }
    return sum;
  }

  /** Takes over the counts of a sender that has ended, with what it took with it. */
  #bury(): void {
    const link = this.#link as SenderLink;
    this.#link = undefined;
    this.#deaths++;
    const values = link.counters.read();
    const lost = this.#postedToLink - values.received + values.queued;
    for (const field of Object.keys(values) as (keyof CounterValues)[]) {
      this.#past[field] = (this.#past[field] ?? 0) + values[field];
    }
    this.#past.received = (this.#past.received ?? 0) + this.#postedToLink - values.received;
    this.#past.sender_died = (this.#past.sender_died ?? 0) + lost;
    for (const field of ['queued', 'queuedBytes', 'inFlight', 'failing'] as const) {
      this.#past[field] = 0;
    }
  }
}

/** Makes a delivery out of plain options; what is left out has a default. */
export function createDelivery(options: DeliveryOptions = {}): DeliverySpanProcessor {
  return new DeliverySpanProcessor(options);
}
