import { lstatSync } from 'node:fs';
import type { MessagePort } from 'node:worker_threads';

import { messageOf } from '../../base/errors.ts';
import { adoptAbandoned, removeEmptyFolders, touchAlive } from '../spool/abandoned-spools.ts';
import { systemClock } from './clock.ts';
import { Counters } from './counters.ts';
import { kindAt, nextFrame, ORIGIN, originAt, readOrigin, SPAN } from '../encoding/frame-format.ts';
import { HttpTransport, type Quietly } from './http-transport.ts';
import type { OriginTable } from '../encoding/request-body.ts';
import type { DrainLimits, SenderOptions, SpoolOptions } from './sender-options.ts';
import { Sender } from './sender.ts';
import { DeliveryLog, type Speak } from './delivery-log.ts';
import { SpoolIndex } from '../spool/spool-index.ts';
import { HEARTBEAT_MILLIS } from '../spool/folder-owner.ts';
import { UnsafeSpoolError } from '../spool/file-safety.ts';
import type { Watched } from './stuck-thread.ts';

/** The messages from the application's side to the sender. */
export type ToSender =
  | {
      type: 'chunk';
      bytes: ArrayBuffer;
      sequence: number;
      /** Increases when the numbering of origins starts again. */
      table: number;
      segment?: { id: number; path: string; offset: number } | undefined;
      /** Its origins replace those sent before. */
      redefines?: boolean;
    }
  | { type: 'seal'; id: number; path: string }
  | { type: 'drain'; id: number; limits: DrainLimits }
  | { type: 'close'; id: number }
  /** A port to another thread, whose first message is `setup`. */
  | { type: 'adopt'; port: MessagePort }
  | { type: 'setup'; setup: SenderSetup }
  | ({ type: 'watch' } & Watched);

export interface SenderSetup {
  options: SenderOptions;
  memory: SharedArrayBuffer;
  /** The folder of this delivery's own segments, below the spool's. */
  ownFolder?: string | undefined;
}

/** The limit on origins that are told apart by their bytes; a real process has a few dozen. */
const MAX_RESOURCES = 64;
const ADOPT_EVERY_MILLIS = 60_000;

/**
 * The sender and its dependencies, driven by messages: the same on a separate thread and on the
 * application's.
 */
export class SenderService {
  readonly #setup: SenderSetup;
  readonly #counters: Counters;
  readonly #log: DeliveryLog;
  readonly #spool: SpoolIndex | undefined;
  readonly #sender: Sender;
  readonly #timers: NodeJS.Timeout[] = [];
  #origins: OriginTable = new Map();
  #table = 0;
  #resources = new Map<string, Uint8Array>();

  /** `quietly` is set if this is the application's thread. */
  constructor(setup: SenderSetup, speak: Speak, quietly?: Quietly) {
    const { options, memory } = setup;
    this.#setup = setup;
    this.#counters = new Counters(memory);
    this.#log = new DeliveryLog(options.target.url, speak);
    this.#spool = options.spool && new SpoolIndex(options.spool, this.#log);
    const transport = new HttpTransport(options.target, options.maxInFlight, quietly);
    this.#sender = new Sender(
      options,
      this.#counters,
      transport,
      systemClock,
      this.#log,
      this.#spool,
    );
    if (options.spool) this.#watchSpool(options.spool);
  }

  /** Handles a message. A drain or a close is answered by its number, also in the shared memory. */
  receive(message: ToSender, onAnswer: (id: number) => void): void {
    if (message.type === 'chunk') this.#addChunk(message);
    else if (message.type === 'seal') this.#spool?.seal(message.id, message.path);
    else if (message.type === 'close') {
      this.#close();
      onAnswer(message.id);
      this.#counters.answer(message.id);
    } else if (message.type === 'drain') {
      const { id } = message;
      this.drain(message.limits)
        .then(() => {
          if (this.#setup.ownFolder) removeEmptyFolders(this.#setup.ownFolder);
          onAnswer(id);
          this.#counters.answer(id);
        })
        .catch((error: unknown) => this.#log.broken(error));
    }
  }

  /** Resolves when everything is sent, or the limits are reached. */
  drain(limits: DrainLimits): Promise<void> {
    return this.#sender.drain(limits);
  }

  #addChunk(chunk: Extract<ToSender, { type: 'chunk' }>): void {
    const { bytes, sequence, table, segment, redefines = false } = chunk;
    const buffer = Buffer.from(bytes);
    if (table !== this.#table) {
      this.#table = table;
      this.#origins = new Map();
    }
    let count = 0;
    for (let start = 0; start < buffer.length; start = nextFrame(buffer, start)) {
      if (kindAt(buffer, start) === SPAN) count++;
      else if (kindAt(buffer, start) === ORIGIN) this.#learn(buffer, start, redefines);
    }
    this.#counters.add('receivedBytes', buffer.length);
    const slice = {
      buffer,
      origins: this.#origins,
      from: 0,
      to: buffer.length,
      count,
      sequence,
      ...(segment && { segment: segment.id, offset: segment.offset }),
    };
    if (segment && this.#spool) {
      this.#spool.record(segment.id, segment.path, slice);
      this.#trimSpool();
    }
    if (count > 0) this.#sender.add(slice);
  }

  #learn(buffer: Buffer, start: number, replace: boolean): void {
    // A chunk that was held back still has its origins as they were before they became complete.
    if (!replace && this.#origins.has(originAt(buffer, start))) return;
    const origin = readOrigin(buffer, start);
    if (!origin) return;
    // Scopes of one resource go below it together, which takes the same bytes to be the same object.
    const key = Buffer.from(origin.resource).toString('latin1');
    if (this.#resources.size > MAX_RESOURCES) this.#resources.clear();
    const resource = this.#resources.get(key) ?? origin.resource;
    this.#resources.set(key, resource);
    this.#origins.set(originAt(buffer, start), { resource, scope: origin.scope });
  }

  #watchSpool(spool: SpoolOptions): void {
    this.#adopt(spool);
    const own = this.#setup.ownFolder;
    if (own) touchAlive(own);
    this.#timers.push(
      setInterval(() => own && touchAlive(own), HEARTBEAT_MILLIS).unref(),
      setInterval(() => this.#adopt(spool), ADOPT_EVERY_MILLIS).unref(),
    );
  }

  #adopt({ folder, maxAgeMillis }: SpoolOptions): void {
    const spool = this.#spool;
    const own = this.#setup.ownFolder;
    if (!spool || !own) return;
    const { files, refused } = adoptAbandoned(folder, own);
    for (const sentence of refused) this.#log.spool(sentence);
    for (const path of files) {
      try {
        const isOld = Date.now() - lstatSync(path).mtimeMs > maxAgeMillis;
        const { count, unreadable } = isOld ? spool.expire(path) : spool.adopt(path);
        this.#counters.add('adopted', count + unreadable);
        this.#counters.add('unreadable', unreadable);
        this.#counters.add(isOld ? 'expired' : 'spooled', count);
        if (isOld && count > 0) this.#log.dropped('expired', count);
      } catch (error) {
        const verb = error instanceof UnsafeSpoolError ? 'Refused' : 'Cannot read';
        this.#log.spool(`${verb} ${path}: ${messageOf(error)}.`);
      }
    }
    this.#trimSpool();
    this.#sender.wake();
  }

  #trimSpool(): void {
    const spool = this.#spool as SpoolIndex;
    const lost = spool.trim();
    if (lost > 0) {
      this.#counters.add('spooled', -lost);
      this.#counters.add('overflow', lost);
      this.#log.dropped('overflow', lost);
    }
    this.#counters.set('spooledBytes', spool.bytes);
  }

  #close(): void {
    for (const timer of this.#timers) clearInterval(timer);
    this.#sender.close();
    if (this.#setup.ownFolder) removeEmptyFolders(this.#setup.ownFolder);
  }
}
