import type { Failure } from './advice.ts';
import type { Clock, Timer } from './clock.ts';
import { backoffMillis, waitMillis, type Outcome } from './outcome.ts';
import type { Counters, DropReason } from './counters.ts';
import { PendingFlushes } from './pending-flushes.ts';
import { buildBody, countBytes, countSpans, halve, type Slice } from '../encoding/request-body.ts';
import { SendQueue } from './send-queue.ts';
import type { DrainLimits, SenderOptions } from './sender-options.ts';
import type { DeliveryLog } from './delivery-log.ts';
import type { SpoolIndex } from '../spool/spool-index.ts';

/*
 * Sends the queued spans, several requests at a time, and drops no span that the collector may
 * still accept. It runs in a separate thread, or on the application's thread if that is switched
 * off.
 *
 * A span is in exactly one of these places: `#queue` (waiting for the first time), `#retries`
 * (batches that failed), a request under way, or the spool (on disk only). `queued` counts the
 * first three. Every public method leaves the counters consistent.
 */

/** A batch that has been sent to the collector. */
interface Batch {
  slices: Slice[];
  count: number;
  bytes: number;
  /** How often it was refused, out of `maxRefusals`. */
  refusals: number;
  /** Failures of this batch while others were accepted in between. */
  suspicion: number;
  /** How many requests had been accepted when it failed last. */
  acceptedBefore: number;
  /**
   * Only this batch waits until then: it is suspected to be bad, and the others need not wait for
   * it.
   */
  notBefore: number;
}

/** The transport to the collector. */
export interface Transport {
  /** Never rejects. `onProgress` is called when the collector makes progress. */
  post(body: Buffer, onProgress: () => void): Promise<Outcome>;
  close(): void;
}

/** A smaller batch waits for more spans, while another request is under way or was a moment ago. */
const WORTH_A_REQUEST = 128 * 1024;
const MOMENT = 100;
const SMALLEST_BATCH = 64 * 1024;
const SUSPICION_TO_SPLIT = 3;
/** After this many malformed responses in a row, a span is not the cause. */
const MAX_MALFORMED_IN_A_ROW = 40;
const RETRY_WHILE_DRAINING = 50;

export class Sender {
  readonly #options: SenderOptions;
  readonly #counters: Counters;
  readonly #transport: Transport;
  readonly #clock: Clock;
  readonly #log: DeliveryLog;
  readonly #spool: SpoolIndex | undefined;
  readonly #queue = new SendQueue();
  #retries: Batch[] = [];
  readonly #underWay = new Set<Batch>();
  #sequence = 0;
  #accepted = 0;
  #failures = 0;
  #malformed = 0;
  #pausedUntil = 0;
  #sentAt = -Infinity;
  #maxBatchBytes: number;
  #timer: Timer | undefined;
  readonly #drains = new PendingFlushes();
  #closed = false;

  constructor(
    options: SenderOptions,
    counters: Counters,
    transport: Transport,
    clock: Clock,
    log: DeliveryLog,
    spool?: SpoolIndex,
  ) {
    this.#options = options;
    this.#counters = counters;
    this.#transport = transport;
    this.#clock = clock;
    this.#log = log;
    this.#spool = spool;
    this.#maxBatchBytes = options.maxBatchBytes;
  }

  /** Queues spans that have ended in this process. */
  add(slice: Slice): void {
    this.#sequence = Math.max(this.#sequence, slice.sequence);
    this.#counters.add('received', slice.count);
    if (this.#spool?.hasWaiting || !this.#makeRoom(slice)) this.#leaveOnDisk(slice);
    else this.#enqueue(slice);
    this.#counters.publish();
    this.#pump();
  }

  /** Looks for work, after the spool has found some. */
  wake(): void {
    this.#counters.publish();
    this.#pump();
  }

  /** Sends everything now; resolves when nothing waits, or when the limits say to give up. */
  drain(limits: DrainLimits): Promise<void> {
    const isAnswered = this.#accepted > 0 && this.#failures === 0;
    const drained = this.#drains.begin(limits, this.#sequence, this.#clock.now(), isAnswered);
    // The collector requested a pause; one attempt during it is better than a certain loss.
    this.#pausedUntil = 0;
    for (const batch of this.#retries) batch.notBefore = 0;
    this.#pump();
    return drained;
  }

  /** Stops. Queued spans stay in the spool if they are in it, and are counted as lost if not. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#timer?.cancel();
    this.#drains.endAll();
    for (let slice = this.#queue.shift(); slice; slice = this.#queue.shift()) this.#leave(slice);
    // Responses to requests under way will not be received.
    for (const { slices } of [...this.#retries.splice(0), ...this.#underWay]) {
      for (const slice of slices) this.#leave(slice);
    }
    this.#counters.publish();
    this.#transport.close();
  }

  #leave(slice: Slice): void {
    this.#dequeue(slice);
    if (this.#spool?.keep(slice)) this.#counters.add('spooled', slice.count);
    else this.#counters.add('exit', slice.count);
  }

  #enqueue(slice: Slice): void {
    this.#queue.push(slice);
    this.#counters.add('queued', slice.count);
    this.#counters.add('queuedBytes', slice.to - slice.from);
  }

  #dequeue(slice: Slice): void {
    this.#counters.add('queued', -slice.count);
    this.#counters.add('queuedBytes', slice.from - slice.to);
  }

  /** Whether `slice` may wait in memory; others may have to be dropped for it. */
  #makeRoom(slice: Slice): boolean {
    const { maxQueueBytes, maxQueueSpans, onOverflow } = this.#options;
    const bytes = slice.to - slice.from;
    const isFull = (): boolean =>
      this.#counters.get('queuedBytes') + bytes > maxQueueBytes ||
      this.#counters.get('queued') + slice.count > maxQueueSpans;
    if (!isFull()) return true;
    if (slice.segment !== undefined || onOverflow === 'drop-newest') return false;
    while (isFull()) {
      const oldest = this.#retries.shift();
      const slices = oldest?.slices ?? [this.#queue.shift()];
      for (const dropped of slices) {
        if (!dropped) return this.#counters.get('queued') === 0;
        this.#give(dropped, 'overflow');
      }
    }
    return true;
  }

  /**
   * A slice that does not fit into memory stays on disk if there is a spool, and is dropped if not.
   */
  #leaveOnDisk(slice: Slice): void {
    if (this.#spool?.evict(slice)) this.#counters.add('spooled', slice.count);
    else this.#drop(slice, 'overflow');
  }

  /** Drops queued spans. */
  #give(slice: Slice, reason: DropReason): void {
    this.#dequeue(slice);
    this.#drop(slice, reason);
  }

  #drop(slice: Slice, reason: DropReason): void {
    this.#counters.add(reason, slice.count);
    this.#spool?.settle(slice);
    this.#log.dropped(reason, slice.count);
  }

  #pump(): void {
    if (this.#closed) return;
    this.#reload();
    const now = this.#clock.now();
    while (this.#underWay.size < this.#window() && now >= this.#pausedUntil) {
      const batch = this.#next(now);
      if (!batch) break;
      this.#send(batch).catch((error: unknown) => this.#log.broken(error));
    }
    if (this.#drains.isActive) {
      this.#drains.check(now, this.#oldest(), this.#spool?.hasWaiting ?? false);
    }
    this.#schedule(now);
  }

  /** While the collector fails, one request at a time tests whether it is back. */
  #window(): number {
    return this.#failures > 0 ? 1 : this.#options.maxInFlight;
  }

  #next(now: number): Batch | undefined {
    const waiting = this.#retries.findIndex((batch) => batch.notBefore <= now);
    // The test must not always use a batch that fails: while the collector fails, batches that have
    // not been tried go first.
    if (waiting >= 0 && (this.#failures === 0 || this.#queue.count === 0)) {
      return this.#retries.splice(waiting, 1)[0];
    }
    const isQuiet = this.#underWay.size === 0 && now - this.#sentAt >= MOMENT;
    const isWorthIt = isQuiet || this.#drains.isActive || this.#queue.bytes >= WORTH_A_REQUEST;
    if (this.#queue.count === 0 || !isWorthIt) return undefined;
    return toBatch(this.#queue.take(this.#maxBatchBytes, this.#options.maxBatchSpans));
  }

  readonly #onProgress = (): void => this.#drains.onProgress();

  async #send(batch: Batch): Promise<void> {
    this.#underWay.add(batch);
    this.#sentAt = this.#clock.now();
    this.#counters.add('requests', 1);
    this.#counters.add('inFlight', batch.count);
    this.#counters.publish();
    const outcome = await this.#transport.post(buildBody(batch.slices), this.#onProgress);
    this.#underWay.delete(batch);
    this.#counters.add('inFlight', -batch.count);
    if (this.#closed) return;
    if (outcome.kind === 'accepted') this.#onAccepted(batch, outcome);
    else this.#onFailed(batch, outcome);
    this.#counters.publish();
    this.#pump();
  }

  #onAccepted(batch: Batch, outcome: { rejected: number; message: string }): void {
    this.#accepted++;
    this.#malformed = 0;
    this.#pausedUntil = 0;
    if (this.#failures > 0) this.#log.resumed(this.#counters.get('queued'));
    this.#failures = 0;
    this.#counters.set('failing', 0);
    this.#counters.set('connected', 1);
    this.#count(batch, outcome.rejected);
    if (outcome.rejected > 0) this.#log.rejected(outcome.rejected, outcome.message);
    this.#drains.onAccepted();
  }

  #count(batch: Batch, rejectedSpans: number): void {
    const rejected = Math.min(rejectedSpans, batch.count);
    this.#counters.add('accepted', batch.count - rejected);
    this.#counters.add('rejected', rejected);
    for (const slice of batch.slices) {
      this.#dequeue(slice);
      this.#spool?.settle(slice);
    }
  }

  #onFailed(batch: Batch, outcome: Exclude<Outcome, { kind: 'accepted' }>): void {
    this.#counters.add('failures', 1);
    if (outcome.kind === 'too-large') this.#onTooLarge(batch, outcome.reason);
    else if (outcome.kind === 'malformed' && ++this.#malformed <= MAX_MALFORMED_IN_A_ROW) {
      this.#split(batch, outcome.reason);
    } else if (outcome.kind === 'unavailable') this.#onUnavailable(batch, outcome);
    else this.#onRefused(batch, outcome);
  }

  #onTooLarge(batch: Batch, reason: string): void {
    this.#maxBatchBytes = Math.max(SMALLEST_BATCH, Math.min(this.#maxBatchBytes, batch.bytes >> 1));
    this.#split(batch, reason);
  }

  /** Sends the halves at once; a single span that is still refused is set aside. */
  #split(batch: Batch, reason: string): void {
    if (batch.count <= 1) return this.#setAside(batch, reason);
    const halves = halve(batch.slices).map((slices) => {
      return { ...toBatch(slices), suspicion: batch.suspicion, acceptedBefore: this.#accepted };
    });
    this.#retries.unshift(...halves);
  }

  #setAside(batch: Batch, reason: string): void {
    const file = this.#spool?.setAside(buildBody(batch.slices));
    this.#log.setAside(batch.count, reason, file);
    for (const slice of batch.slices) this.#give(slice, 'refused');
  }

  #onUnavailable(batch: Batch, outcome: Extract<Outcome, { kind: 'unavailable' }>): void {
    const othersPass = outcome.mayBePoison && this.#accepted > batch.acceptedBefore;
    batch.acceptedBefore = this.#accepted;
    if (othersPass) batch.suspicion++;
    if (batch.suspicion >= SUSPICION_TO_SPLIT) {
      if (batch.count === 1) return this.#setAside(batch, outcome.reason);
      // Others are accepted and this one is not: from now on it is examined by itself.
      batch.suspicion = SUSPICION_TO_SPLIT - 1;
      return this.#split(batch, outcome.reason);
    }
    this.#retries.push(batch);
    if (othersPass && outcome.retryAfterMillis === undefined) {
      batch.notBefore = this.#clock.now() + backoffMillis(batch.suspicion, this.#options.backoff);
    } else this.#pause(outcome, outcome.retryAfterMillis);
  }

  #onRefused(batch: Batch, failure: Failure): void {
    if (++batch.refusals >= this.#options.maxRefusals) {
      return this.#setAside(batch, failure.reason);
    }
    this.#retries.push(batch);
    this.#pause(failure, undefined);
  }

  #pause(failure: Failure, retryAfterMillis: number | undefined): void {
    const now = this.#clock.now();
    // Requests that were under way together fail together: that is one failure.
    if (now >= this.#pausedUntil || this.#drains.isActive) this.#failures++;
    this.#counters.set('failing', 1);
    this.#drains.onFailure();
    const wait = waitMillis(this.#failures, retryAfterMillis, this.#options.backoff);
    const capped = this.#drains.isActive ? Math.min(wait, RETRY_WHILE_DRAINING) : wait;
    this.#pausedUntil = Math.max(this.#pausedUntil, now + capped);
    const isNew = this.#accepted === 0 || this.#failures >= 2;
    if (isNew) this.#log.failing(failure, this.#counters.get('queued'), retryAfterMillis);
  }

  /** Brings spans back from disk once there is room for them. */
  #reload(): void {
    const spool = this.#spool;
    if (!spool?.hasWaiting || this.#failures > 0) return;
    const { maxQueueBytes, maxQueueSpans } = this.#options;
    while (
      spool.hasWaiting &&
      this.#counters.get('queuedBytes') <= maxQueueBytes / 4 &&
      this.#counters.get('queued') <= maxQueueSpans / 4
    ) {
      const { slice, count } = spool.load();
      this.#counters.add('spooled', -count);
      const lost = count - (slice?.count ?? 0);
      if (lost > 0) this.#counters.add('unreadable', lost);
      if (slice) this.#enqueue(slice);
    }
    this.#counters.publish();
  }

  #schedule(now: number): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    let at = Infinity;
    const hasWork = this.#queue.count > 0 || this.#spool?.hasWaiting;
    if (this.#pausedUntil > now && (hasWork || this.#retries.length > 0)) at = this.#pausedUntil;
    else if (this.#queue.count > 0 && this.#underWay.size === 0) at = this.#sentAt + MOMENT;
    else for (const batch of this.#retries) at = Math.min(at, batch.notBefore);
    if (this.#drains.isActive) at = Math.min(at, now + 50);
    // If every slot is in use, the next response will look for work.
    if (at === Infinity || (at <= now && this.#underWay.size > 0 && !this.#drains.isActive)) return;
    this.#timer = this.#clock.setTimeout(
      () => this.#pump(),
      Math.max(1, Math.min(at - now, 2 ** 30)),
    );
    if (!this.#drains.isActive) this.#timer.unref();
  }

  /** The sequence number of the oldest span in memory. */
  #oldest(): number {
    let oldest = this.#queue.oldest;
    for (const batches of [this.#retries, this.#underWay]) {
      for (const { slices } of batches) {
        for (const { sequence } of slices) oldest = Math.min(oldest, sequence);
      }
    }
    return oldest;
  }
}

function toBatch(slices: Slice[]): Batch {
  return {
    slices,
    count: countSpans(slices),
    bytes: countBytes(slices),
    refusals: 0,
    suspicion: 0,
    acceptedBefore: Infinity,
    notBefore: 0,
  };
}
