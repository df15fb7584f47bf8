import { lstatSync } from 'node:fs';

import { messageOf } from '../base/errors.ts';
import { adoptAbandoned, removeEmptyFolders, touchAlive } from './adoption.ts';
import { Counters } from './counters.ts';
import { kindAt, nextFrame, ORIGIN, originAt, readOrigin, SPAN } from './frames.ts';
import { HttpTransport, type Quietly } from './http-transport.ts';
import type { OriginTable } from './request-body.ts';
import type { DrainLimits, SenderOptions, SpoolOptions } from './sender-options.ts';
import { Sender } from './sender.ts';
import { SenderVoice, type Speak } from './sender-voice.ts';
import { SpoolLedger } from './spool-ledger.ts';
import { HEARTBEAT_MILLIS } from './spool-owner.ts';
import { UnsafeSpoolError } from './spool-safety.ts';

/** What the application's side says to the sender. */
export type ToSender =
  | {
      type: 'chunk';
      bytes: ArrayBuffer;
      sequence: number;
      /** Grows when origin numbers begin anew. */
      table: number;
      segment?: { id: number; path: string; offset: number } | undefined;
      /** What it says of origins replaces what was said before. */
      redefines?: boolean;
    }
  | { type: 'seal'; id: number; path: string }
  | { type: 'drain'; id: number; limits: DrainLimits }
  | { type: 'close'; id: number };

export interface SenderSetup {
  options: SenderOptions;
  memory: SharedArrayBuffer;
  /** The folder of this delivery's own segments, below the spool's. */
  ownFolder?: string | undefined;
}

/** The origins whose bytes are kept apart by value; a few dozen in any real process. */
const MAX_RESOURCES = 64;
const ADOPT_EVERY_MILLIS = 60_000;

/**
 * The sender with all it needs, driven by messages: the same on a thread of its own and on the
 * application's.
 */
export class SenderCore {
  readonly #setup: SenderSetup;
  readonly #counters: Counters;
  readonly #voice: SenderVoice;
  readonly #ledger: SpoolLedger | undefined;
  readonly #sender: Sender;
  readonly #timers: NodeJS.Timeout[] = [];
  #origins: OriginTable = new Map();
  #table = 0;
  #resources = new Map<string, Uint8Array>();

  /** `quietly` is given where the thread is the application's. */
  constructor(setup: SenderSetup, speak: Speak, quietly?: Quietly) {
    const { options, memory } = setup;
    this.#setup = setup;
    this.#counters = new Counters(memory);
    this.#voice = new SenderVoice(options.target.url, speak);
    this.#ledger = options.spool && new SpoolLedger(options.spool, this.#voice);
    const transport = new HttpTransport(options.target, options.maxInFlight, quietly);
    this.#sender = new Sender(options, this.#counters, transport, this.#voice, this.#ledger);
    if (options.spool) this.#watchSpool(options.spool);
  }

  /** Acts on a message; a drain or a close answers by its number, in the shared memory as well. */
  receive(message: ToSender, onAnswer: (id: number) => void): void {
    if (message.type === 'chunk') this.#addChunk(message);
    else if (message.type === 'seal') this.#ledger?.seal(message.id, message.path);
    else if (message.type === 'close') {
      this.#close();
      onAnswer(message.id);
      this.#counters.answer(message.id);
    } else {
      const { id } = message;
      this.#sender
        .drain(message.limits)
        .then(() => {
          if (this.#setup.ownFolder) removeEmptyFolders(this.#setup.ownFolder);
          onAnswer(id);
          this.#counters.answer(id);
        })
        .catch((error: unknown) => this.#voice.broken(error));
    }
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
    if (segment && this.#ledger) {
      this.#ledger.record(segment.id, segment.path, slice);
      this.#trimSpool();
    }
    if (count > 0) this.#sender.add(slice);
  }

  #learn(buffer: Buffer, start: number, replace: boolean): void {
    // A chunk that was held back still says what its origins were before they became complete.
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
    const ledger = this.#ledger;
    const own = this.#setup.ownFolder;
    if (!ledger || !own) return;
    const { files, refused } = adoptAbandoned(folder, own);
    for (const sentence of refused) this.#voice.spool(sentence);
    for (const path of files) {
      try {
        const isOld = Date.now() - lstatSync(path).mtimeMs > maxAgeMillis;
        const { count, unreadable } = isOld ? ledger.expire(path) : ledger.adopt(path);
        this.#counters.add('adopted', count + unreadable);
        this.#counters.add('unreadable', unreadable);
        this.#counters.add(isOld ? 'expired' : 'spooled', count);
        if (isOld && count > 0) this.#voice.dropped('expired', count);
      } catch (error) {
        const verb = error instanceof UnsafeSpoolError ? 'Refused' : 'Cannot read';
        this.#voice.spool(`${verb} ${path}: ${messageOf(error)}.`);
      }
    }
    this.#trimSpool();
    this.#sender.wake();
  }

  #trimSpool(): void {
    const ledger = this.#ledger as SpoolLedger;
    const lost = ledger.trim();
    if (lost > 0) {
      this.#counters.add('spooled', -lost);
      this.#counters.add('overflow', lost);
      this.#voice.dropped('overflow', lost);
    }
    this.#counters.set('spooledBytes', ledger.bytes);
  }

  #close(): void {
    for (const timer of this.#timers) clearInterval(timer);
    this.#sender.close();
    if (this.#setup.ownFolder) removeEmptyFolders(this.#setup.ownFolder);
  }
}
