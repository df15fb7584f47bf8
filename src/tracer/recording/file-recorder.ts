import { closeSync, openSync, unlinkSync, writeSync } from 'node:fs';
import { basename } from 'node:path';
import { performance } from 'node:perf_hooks';
import { clearTimeout, setTimeout } from 'node:timers';
import { gzipSync } from 'node:zlib';

import { ClewError, messageOf } from '../../base/errors.ts';
import { say } from '../../base/log.ts';
import { AsyncResourceTracer } from '../async-resource-tracer.ts';
import { runUntraced } from '../owner.ts';
import type { AsyncTrace } from '../record.ts';
import { LineWriter, type RecordingEnd } from './format.ts';
import { withoutOwner } from './whole-requests.ts';

export interface FileRecorderOptions {
  /** The file to write; one that exists is not overwritten. */
  file: string;
  /** Ends the recording after this long. Default 10 seconds. */
  forMillis?: number;
  /**
   * Ends the recording after this many requests have ended. Other work in the meantime is recorded
   * as work of no request, since it may hold the event loop. Default: no such limit.
   */
  requests?: number;
  /** The maximum size of the file. Default 100 MB. */
  maxBytes?: number;
  /** Called once, when the file is complete. */
  onEnd?(summary: RecordingEnd & { file: string; bytes: number }): void;
}

const CHUNK_CHARACTERS = 256 * 1024;
const MAX_BYTES = 100 * 1024 * 1024;

/**
 * Records this process at level `deep` into one file.
 *
 * The file is written synchronously, one gzip member at a time: this creates no async resources,
 * and the file is readable even if the process ends during the recording. Only one recording runs
 * at a time, and it ends by itself.
 */
export class FileRecorder {
  readonly #options: FileRecorderOptions;
  readonly #writer = new LineWriter();
  readonly #tracer: AsyncResourceTracer;
  readonly #timer: NodeJS.Timeout;
  /** Kept open: if the file is moved or removed meanwhile, the recording goes with it. */
  readonly #descriptor: number;
  #buffer = '';
  #bytes = 0;
  #ended = false;
  #requests = 0;
  /** Ids of the owners of those requests, if their number is limited. */
  readonly #counted = new Set<number>();
  #groups = 0;
  #records = 0;
  #groupsDropped = 0;
  #dropped = 0;

  /** Starts immediately. Throws `ERR_OPTION` if the file cannot be created. */
  constructor(options: FileRecorderOptions) {
    this.#options = options;
    this.#descriptor = createFile(options.file);
    this.#tracer = new AsyncResourceTracer({
      level: 'deep',
      onTrace: (trace) => this.write(trace),
      onRequest: ({ owner }) => this.#countRequest(owner.id),
    });
    this.#buffer = this.#writer.header({
      node: process.version,
      pid: process.pid,
      timeOrigin: performance.timeOrigin,
      program: basename(process.argv[1] ?? 'node'),
      startedAt: performance.now(),
      level: 'deep',
    });
    const { forMillis = 10_000 } = options;
    this.#timer = runUntraced(() => setTimeout(() => this.end(), forMillis));
    this.#timer.unref();
    process.once('exit', this.#onExit);
    this.#tracer.start();
  }

  readonly #onExit = (): void => this.end();

  /** Ends the recording; calling it again does nothing. */
  end(): void {
    if (this.#ended) return;
    this.#tracer.stop();
    this.#ended = true;
    process.off('exit', this.#onExit);
    clearTimeout(this.#timer);
    const summary: RecordingEnd = {
      endedAt: performance.now(),
      requests: this.#requests,
      groups: this.#groups,
      records: this.#records,
      dropped: this.#dropped,
      groupsDropped: this.#groupsDropped,
    };
    this.#buffer += this.#writer.end(summary);
    this.#flush();
    closeSync(this.#descriptor);
    this.#options.onEnd?.({ ...summary, file: this.#options.file, bytes: this.#bytes });
  }

  /** @internal */
  write(trace: AsyncTrace): void {
    if (this.#ended) return;
    if (this.#bytes >= (this.#options.maxBytes ?? MAX_BYTES)) {
      this.#groupsDropped++;
      return;
    }
    this.#groups++;
    this.#records += trace.records.length;
    this.#dropped += trace.dropped;
    this.#buffer += this.#writer.group(this.#isBeyond(trace) ? withoutOwner(trace) : trace);
    if (this.#buffer.length >= CHUNK_CHARACTERS) this.#flush();
  }

  #countRequest(id: number): void {
    const { requests: limit } = this.#options;
    if (limit !== undefined && this.#requests >= limit) return;
    this.#requests++;
    if (limit === undefined) return;
    this.#counted.add(id);
    if (this.#requests < limit) return;
    // The remaining work of the last request belongs to it.
    runUntraced(() => setTimeout(() => this.end(), 100)).unref();
  }

  /** Belongs to a request beyond the requested number. */
  #isBeyond({ owner }: AsyncTrace): boolean {
    const { requests: limit = Infinity } = this.#options;
    return owner !== undefined && this.#requests >= limit && !this.#counted.has(owner.id);
  }

  #flush(): void {
    runUntraced(() => {
      try {
        const member = gzipSync(this.#buffer, { level: 6 });
        writeAll(this.#descriptor, member);
        this.#bytes += member.length;
      } catch (error) {
        say('warn', `the recording cannot be written: ${messageOf(error)}`);
        this.#bytes = Number.POSITIVE_INFINITY;
      }
      this.#buffer = '';
    });
  }
}

/** Starts a recording, which ends by itself. Throws `ERR_OPTION` if the file cannot be created. */
export function startRecording(options: FileRecorderOptions): FileRecorder {
  return new FileRecorder(options);
}

/** The system may write only a part of the data. */
function writeAll(descriptor: number, bytes: Buffer): void {
  for (let written = 0; written < bytes.length;) {
    written += writeSync(descriptor, bytes, written);
  }
}

/** A recording may show host names and paths, so only its owner may read it. */
function createFile(file: string): number {
  try {
    return openSync(file, 'wx', 0o600);
  } catch (error) {
    throw new ClewError('ERR_OPTION', `Cannot write the recording: ${messageOf(error)}`, {
      cause: error,
    });
  }
}

/** Writes one request's group as a separate recording. Never throws; returns the file. */
export function writeSingle(trace: AsyncTrace, file: string): string | undefined {
  const writer = new LineWriter();
  const header = writer.header({
    node: process.version,
    pid: process.pid,
    timeOrigin: performance.timeOrigin,
    program: basename(process.argv[1] ?? 'node'),
    startedAt: trace.startedAt,
    level: 'deep',
  });
  const end = writer.end({
    endedAt: trace.endedAt,
    requests: 1,
    groups: 1,
    records: trace.records.length,
    dropped: trace.dropped,
    groupsDropped: 0,
  });
  return runUntraced(() => {
    let made = false;
    try {
      const handle = openSync(file, 'wx', 0o600);
      made = true;
      writeAll(handle, gzipSync(header + writer.group(trace) + end));
      closeSync(handle);
      return file;
    } catch (error) {
      say('warn', `the recording of a request cannot be written: ${messageOf(error)}`);
      if (made) unlinkSync(file);
      return undefined;
    }
  });
}
