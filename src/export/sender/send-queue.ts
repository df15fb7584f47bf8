import { countSpans, cut, spansWithin, type Slice } from '../encoding/request-body.ts';

/*
 * The slices that wait to be sent for the first time, oldest first. An array with a moving head:
 * entries are taken and dropped at the front, and the dead part is cut off from time to time.
 */

export class SendQueue {
  #slices: Slice[] = [];
  #head = 0;
  bytes = 0;
  count = 0;

  push(slice: Slice): void {
    this.#slices.push(slice);
    this.bytes += slice.to - slice.from;
    this.count += slice.count;
  }

  /** The sequence number of the oldest slice; Infinity where there is none. */
  get oldest(): number {
    return this.#slices[this.#head]?.sequence ?? Infinity;
  }

  /** Takes slices from the front, up to both limits, and at least one span. */
  take(maxBytes: number, maxSpans: number): Slice[] {
    const taken: Slice[] = [];
    let bytes = 0;
    let count = 0;
    while (this.#head < this.#slices.length) {
      const slice = this.#slices[this.#head] as Slice;
      const fits = fitting(slice, maxBytes - bytes, maxSpans - count);
      if (fits === 0 && count > 0) break;
      if (fits >= slice.count) {
        taken.push(slice);
        this.#head++;
      } else {
        const [head, tail] = cut(slice, Math.max(1, fits));
        taken.push(head);
        this.#slices[this.#head] = tail;
      }
      const last = taken.at(-1) as Slice;
      bytes += last.to - last.from;
      count += last.count;
      if (fits < slice.count) break;
    }
    this.#trim();
    this.bytes -= bytes;
    this.count -= count;
    return taken;
  }

  /** Removes the oldest slice. */
  shift(): Slice | undefined {
    const slice = this.#slices[this.#head];
    if (!slice) return undefined;
    this.#head++;
    this.#trim();
    this.bytes -= slice.to - slice.from;
    this.count -= countSpans([slice]);
    return slice;
  }

  #trim(): void {
    if (this.#head < 64 || this.#head * 2 < this.#slices.length) return;
    this.#slices = this.#slices.slice(this.#head);
    this.#head = 0;
  }
}

function fitting(slice: Slice, bytes: number, spans: number): number {
  if (bytes <= 0 || spans <= 0) return 0;
  if (slice.to - slice.from <= bytes) return Math.min(slice.count, spans);
  return Math.min(spansWithin(slice, bytes), spans);
}
