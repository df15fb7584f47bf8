import { messageOf } from '../base/errors.ts';
import { sayOnce } from '../base/log.ts';
import { ByteWriter } from './encoding/byte-writer.ts';
import { encodeSpan } from './encoding/encode-span.ts';
import {
  beginFrame,
  endFrame,
  HEADER,
  MAX_PAYLOAD,
  SPAN,
  writeOrigin,
} from './encoding/frame-format.ts';
import { ResourceScopes } from './encoding/resource-scopes.ts';
import { MAX_TEXT, shortenedSpan } from './encoding/shortened-span.ts';
import type { ToSender } from './sender/sender-service.ts';
import type { EndedSpan, ResourceShape } from './encoding/span-shape.ts';
import type { SpoolWriter } from './spool/spool-writer.ts';

/*
 * Buffers ended spans as frames, on the application's thread: appended one by one, written ahead to
 * the spool if there is one, and handed on in chunks.
 *
 * A chunk lies within one segment, so that the sender can find it on disk. Origins are defined once
 * per segment, or once per sender if there is no spool.
 */

/** A chunk is handed on when it has grown to this; a few hundred spans. */
export const CHUNK_BYTES: number = 256 * 1024;
const LARGEST_KEPT_BUFFER = 1024 * 1024;
const SPOOL_RETRY_MILLIS = 10_000;

export type Chunk = Extract<ToSender, { type: 'chunk' }>;

export class SpanBuffer {
  /** Spans in the open chunk. */
  count = 0;
  readonly #book = new ResourceScopes();
  readonly #defined = new Set<number>();
  readonly #spool: SpoolWriter | undefined;
  readonly #onSeal: (id: number, path: string) => void;
  readonly #onPending: (resource: ResourceShape) => void;
  #writer = new ByteWriter(CHUNK_BYTES + 16 * 1024);
  #table = 1;
  #segment: Chunk['segment'];
  #spooledUpTo = 0;
  #spoolFailedAt = -Infinity;
  #sequence = 0;

  /**
   * `onSeal` is called with each closed segment, `onPending` once with each resource that is
   * incomplete.
   */
  constructor(
    spool: SpoolWriter | undefined,
    onSeal: (id: number, path: string) => void,
    onPending: (resource: ResourceShape) => void,
  ) {
    this.#spool = spool;
    this.#onSeal = onSeal;
    this.#onPending = onPending;
  }

  get bytes(): number {
    return this.#writer.position;
  }

  get hasOpenSegment(): boolean {
    return this.#spool?.segment !== undefined;
  }

  /**
   * Whether the next span has to begin a new chunk because the numbering of origins starts again.
   */
  needsNewChunk(span: EndedSpan): boolean {
    this.#book.idOf(span);
    return this.#book.table !== this.#table && this.#writer.position > 0;
  }

  /**
   * Appends a span, shortened if it is too long to be sent. Throws if the span cannot be encoded;
   * the buffer is then unchanged.
   */
  append(span: EndedSpan): void {
    const id = this.#book.idOf(span);
    if (this.#writer.position === 0) this.#beginChunk();
    if (!this.#defined.has(id)) this.#define(id, span.resource);
    const start = beginFrame(this.#writer, SPAN, id);
    try {
      const length = this.#encode(span, start);
      if (length > MAX_PAYLOAD) {
        reportCut(length);
        const left = this.#encode(shortenedSpan(span), start);
        if (left > MAX_PAYLOAD) throw new RangeError(`it is ${left} bytes long, its texts cut`);
      }
    } catch (error) {
      this.#writer.position = start;
      throw error;
    }
    endFrame(this.#writer, start, this.#segment !== undefined);
    this.count++;
    if (this.#segment) this.#writeAhead();
  }

  /** Writes a span behind the head of the frame at `start`, and returns the bytes that it takes. */
  #encode(span: EndedSpan, start: number): number {
    const writer = this.#writer;
    writer.position = start + HEADER;
    encodeSpan(writer, span);
    return writer.position - start - HEADER;
  }

  /** Closes the chunk and returns it; undefined if it is empty. */
  take(): Chunk | undefined {
    const writer = this.#writer;
    if (writer.position === 0) return undefined;
    const chunk: Chunk = {
      type: 'chunk',
      bytes: writer.buffer.buffer.slice(0, writer.position) as ArrayBuffer,
      sequence: ++this.#sequence,
      table: this.#table,
      segment: this.#segment,
    };
    this.count = 0;
    this.#segment = undefined;
    this.#spooledUpTo = 0;
    if (writer.buffer.length > LARGEST_KEPT_BUFFER) this.#writer = new ByteWriter(CHUNK_BYTES);
    else writer.position = 0;
    return chunk;
  }

  /** Returns a chunk that only defines a resource again, now that its attributes are complete. */
  redefine(resource: ResourceShape): Chunk | undefined {
    const ids = this.#book.refresh(resource);
    if (ids.length === 0) return undefined;
    const writer = new ByteWriter(4096);
    for (const id of ids) {
      writeOrigin(writer, id, this.#book.get(id));
      if (!this.#segment) continue;
      this.#define(id, undefined);
      this.#writeAhead();
    }
    return {
      type: 'chunk',
      bytes: writer.buffer.buffer.slice(0, writer.position) as ArrayBuffer,
      sequence: ++this.#sequence,
      table: this.#table,
      redefines: true,
    };
  }

  /** Closes the segment when it is due, or at once; only between chunks. */
  seal(force: boolean): void {
    const spool = this.#spool;
    const segment = spool?.segment;
    if (!spool || !segment || (!force && !spool.isDue(performance.now()))) return;
    spool.seal();
    this.#defined.clear();
    this.#onSeal(segment.id, segment.path);
  }

  /** Makes every origin be defined again, for a new sender. */
  forgetDefinitions(): void {
    this.#defined.clear();
  }

  #beginChunk(): void {
    if (this.#book.table !== this.#table) {
      this.#table = this.#book.table;
      this.#defined.clear();
      this.seal(true);
    }
    const spool = this.#spool;
    if (!spool) return;
    const now = performance.now();
    if (now - this.#spoolFailedAt < SPOOL_RETRY_MILLIS) return;
    try {
      if (!spool.segment) {
        this.#defined.clear();
        spool.open(now);
      }
      const { id, path, size } = spool.segment as NonNullable<SpoolWriter['segment']>;
      this.#segment = { id, path, offset: size };
      this.#spooledUpTo = 0;
    } catch (error) {
      this.#failSpool(error);
    }
  }

  #define(id: number, resource: ResourceShape | undefined): void {
    writeOrigin(this.#writer, id, this.#book.get(id));
    this.#defined.add(id);
    if (resource?.asyncAttributesPending) this.#onPending(resource);
  }

  #writeAhead(): void {
    try {
      this.#spool?.write(this.#writer, this.#spooledUpTo);
      this.#spooledUpTo = this.#writer.position;
    } catch (error) {
      this.#failSpool(error);
    }
  }

  /** A full disk must not affect the application; spans are then kept in memory only. */
  #failSpool(error: unknown): void {
    this.#spoolFailedAt = performance.now();
    this.#segment = undefined;
    this.#defined.clear();
    sayOnce(
      'error',
      `spool:${messageOf(error)}`,
      `Cannot write spans to the spool in ${this.#spool?.folder} (${messageOf(error)}): until that is repaired they wait in memory only.`,
    );
  }
}

function reportCut(length: number): void {
  const message =
    `A span was ${length} bytes long: its attribute texts are cut to ${MAX_TEXT} characters. ` +
    'OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT sets a limit for all of them.';
  sayOnce('warn', 'long-span', message);
}
