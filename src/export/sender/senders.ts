import type { AsyncResource } from 'node:async_hooks';
import type { MessagePort } from 'node:worker_threads';

import { messageOf } from '../../base/errors.ts';
import { sayOnce } from '../../base/log.ts';
import { hasWorkingFolder } from '../../base/working-folder.ts';
import { noCounts, type CounterValues } from './counters.ts';
import type { ResolvedOptions } from '../options.ts';
import {
  hasThreadFile,
  startInline,
  startShared,
  startThread,
  type SenderLink,
} from './sender-link.ts';
import type { Chunk } from '../span-buffer.ts';

const MAX_DEATHS = 3;

/**
 * Starts the sender of a delivery when there is something to send, and another one if it dies. Adds
 * up the counts of all its senders and the spans lost with those that died.
 */
export class Senders {
  readonly #options: ResolvedOptions;
  readonly #root: AsyncResource;
  readonly #folder: string | undefined;
  readonly #onStart: () => void;
  /** A port to the sender of another thread, until it is used. */
  #shared: MessagePort | undefined;
  #link: SenderLink | undefined;
  #posted = 0;
  #postedBytes = 0;
  /** The counts of senders that have ended. */
  #past: Partial<CounterValues> = {};
  #deaths = 0;

  /** Senders are started in `root`; `onStart` is called before each of them. */
  constructor(
    options: ResolvedOptions,
    root: AsyncResource,
    spoolFolder: string | undefined,
    shared: MessagePort | undefined,
    onStart: () => void,
  ) {
    this.#options = options;
    this.#root = root;
    this.#folder = spoolFolder;
    this.#shared = shared;
    this.#onStart = onStart;
  }

  /** The sender that was started last, which may be dead; undefined if there is none. */
  get current(): SenderLink | undefined {
    return this.#link;
  }

  /** Returns the running sender, and starts one if there is none. */
  use(): SenderLink {
    if (this.#link && !this.#link.isAlive) this.bury();
    return this.#link ?? this.#start();
  }

  /** Whether a sender in a thread could be started now. */
  get mayStartThread(): boolean {
    return this.#options.thread && hasThreadFile() && mayStartThreads();
  }

  /** Posts a chunk of `count` spans; returns false if the sender has no room for it. */
  post(chunk: Chunk, count: number): boolean {
    const link = this.use();
    const { byteLength } = chunk.bytes;
    if (!chunk.segment && !this.#hasRoom(link, byteLength)) return false;
    this.#posted += count;
    this.#postedBytes += byteLength;
    link.post(chunk);
    return true;
  }

  /** The sums over all senders. */
  counts(): CounterValues {
    const values = this.#link?.counters.read();
    const sum = { ...noCounts(), ...values };
    for (const field of Object.keys(this.#past) as (keyof CounterValues)[]) {
      sum[field] += this.#past[field] ?? 0;
    }
    return sum;
  }

  async close(): Promise<void> {
    const link = this.#link;
    await link?.close();
    if (link) this.bury();
  }

  /** Adds the counts of a sender that has ended, including the spans lost with it. */
  bury(): void {
    const link = this.#link as SenderLink;
    this.#link = undefined;
    this.#deaths++;
    const values = link.counters.read();
    const lost = this.#posted - values.received + values.queued;
    for (const field of Object.keys(values) as (keyof CounterValues)[]) {
      this.#past[field] = (this.#past[field] ?? 0) + values[field];
    }
    this.#past.received = (this.#past.received ?? 0) + this.#posted - values.received;
    this.#past.sender_died = (this.#past.sender_died ?? 0) + lost;
    for (const field of ['queued', 'queuedBytes', 'inFlight', 'failing'] as const) {
      this.#past[field] = 0;
    }
  }

  #start(): SenderLink {
    this.#onStart();
    this.#posted = 0;
    this.#postedBytes = 0;
    this.#link = this.#root.runInAsyncScope(() => this.#make());
    return this.#link;
  }

  /** A thread, or this thread if there can be none (the permission model, a bundle, a deleted folder). */
  #make(): SenderLink {
    const { sender, thread } = this.#options;
    const shared = this.#shared;
    this.#shared = undefined;
    if (shared) return startShared(shared, sender, this.#folder);
    if (!thread || !hasThreadFile() || !hasWorkingFolder())
      return startInline(sender, this.#folder);
    try {
      if (this.#deaths >= MAX_DEATHS) throw new Error(`it died ${MAX_DEATHS} times`);
      return startThread(sender, this.#folder);
    } catch (error) {
      sayOnce(
        'warn',
        'delivery:thread',
        `Cannot start the thread that sends spans (${messageOf(error)}): the application's thread sends them.`,
      );
      return startInline(sender, this.#folder);
    }
  }

  /** Whether the messages on their way to the sender stay within a bound. */
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
}

function mayStartThreads(): boolean {
  const { permission } = process as { permission?: { has(scope: string): boolean } };
  return permission?.has('worker') ?? true;
}
