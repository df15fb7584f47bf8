/*
 * A growing buffer with protobuf's primitives, written on the application's thread once per span:
 * every method stays monomorphic and allocates nothing unless the buffer has to grow.
 */

const HEX = new Uint8Array(128).fill(0xff);
for (let digit = 0; digit < 16; digit++) {
  const text = digit.toString(16);
  HEX[text.charCodeAt(0)] = digit;
  HEX[text.toUpperCase().charCodeAt(0)] = digit;
}

/** Above this length the native encoder beats a loop over character codes. */
const NATIVE_LENGTH = 40;
const TWO_POW_32 = 4294967296;
const double = new Float64Array(1);
const doubleBytes = new Uint8Array(double.buffer);

/** Writes protobuf fields into one buffer that is reused from message to message. */
export class ByteWriter {
  buffer: Buffer;
  position = 0;

  constructor(capacity: number) {
    this.buffer = Buffer.allocUnsafeSlow(capacity);
  }

  /**
   * Makes room for `length` more bytes. Fixed-size writes rely on their caller to call it first.
   */
  reserve(length: number): void {
    const needed = this.position + length;
    if (needed <= this.buffer.length) return;
    const grown = Buffer.allocUnsafeSlow(Math.max(needed, this.buffer.length * 2));
    this.buffer.copy(grown, 0, 0, this.position);
    this.buffer = grown;
  }

  byte(value: number): void {
    this.buffer[this.position++] = value;
  }

  /** A varint of at most 32 bits. */
  varint(value: number): void {
    let rest = value >>> 0;
    while (rest > 127) {
      this.buffer[this.position++] = (rest & 127) | 128;
      rest >>>= 7;
    }
    this.buffer[this.position++] = rest;
  }

  /** A safe integer as int64: the two's complement varint, ten bytes where negative. */
  int64(value: number): void {
    if (value >= 0 && value < TWO_POW_32) {
      this.varint(value);
      return;
    }
    let high = Math.floor(value / TWO_POW_32) >>> 0;
    let low = value >>> 0;
    while (high !== 0) {
      this.buffer[this.position++] = (low & 127) | 128;
      low = ((low >>> 7) | (high << 25)) >>> 0;
      high >>>= 7;
    }
    this.varint(low);
  }

  fixed32(value: number): void {
    const { buffer, position } = this;
    buffer[position] = value;
    buffer[position + 1] = value >>> 8;
    buffer[position + 2] = value >>> 16;
    buffer[position + 3] = value >>> 24;
    this.position = position + 4;
  }

  double(value: number): void {
    double[0] = value;
    const { buffer, position } = this;
    for (let i = 0; i < 8; i++) buffer[position + i] = doubleBytes[i] as number;
    this.position = position + 8;
  }

  /** A time as nanoseconds since the epoch, without a BigInt: 2^53 is too small for those. */
  nanoseconds(seconds: number, nanos: number): void {
    const upper = Math.floor(seconds / 65536) * 1e9;
    const low = (upper % 65536) * 65536 + (seconds % 65536) * 1e9 + nanos;
    this.fixed32(low % TWO_POW_32);
    this.fixed32(Math.floor(upper / 65536) + Math.floor(low / TWO_POW_32));
  }

  /** Hexadecimal digits as bytes, with their length before them; a bad digit makes zeroes. */
  hex(digits: string): void {
    const length = digits.length >>> 1;
    this.varint(length);
    const { buffer } = this;
    let { position } = this;
    for (let i = 0; i < length; i++) {
      const high = HEX[digits.charCodeAt(2 * i)] ?? 0xff;
      const low = HEX[digits.charCodeAt(2 * i + 1)] ?? 0xff;
      buffer[position++] = high === 0xff || low === 0xff ? 0 : (high << 4) | low;
    }
    this.position = position;
  }

  /** A string with its length before it. Reserves its own room. */
  string(text: string): void {
    const { length } = text;
    this.reserve(length * 3 + 10);
    if (length < NATIVE_LENGTH) {
      const { buffer } = this;
      const start = this.position;
      let position = start + 1;
      let i = 0;
      for (; i < length; i++) {
        const code = text.charCodeAt(i);
        if (code > 127) break;
        buffer[position++] = code;
      }
      if (i === length) {
        buffer[start] = length;
        this.position = position;
        return;
      }
    }
    // The length in bytes is only known afterwards; most text is ASCII, so that guess is made
    // first and the text moved where it was wrong.
    const start = this.position;
    this.varint(length);
    const guessed = this.position;
    const written = this.buffer.write(text, guessed, 'utf8');
    if (written !== length) {
      const right = start + varintLength(written);
      if (right !== guessed) this.buffer.copyWithin(right, guessed, guessed + written);
      this.position = start;
      this.varint(written);
    }
    this.position += written;
  }

  bytes(value: Uint8Array): void {
    this.reserve(value.length + 5);
    this.varint(value.length);
    this.buffer.set(value, this.position);
    this.position += value.length;
  }

  /**
   * Begins a nested message of about `expected` bytes and returns the token `endMessage` needs. The
   * room for the length is guessed; a wrong guess moves the message, it is never written padded.
   */
  beginMessage(expected: number): number {
    this.reserve(expected + 10);
    this.position += varintLength(expected);
    return this.position;
  }

  endMessage(start: number, expected: number): void {
    const length = this.position - start;
    const guessed = varintLength(expected);
    const right = varintLength(length);
    if (guessed !== right) {
      this.reserve(5);
      this.buffer.copyWithin(start - guessed + right, start, this.position);
    }
    this.position = start - guessed;
    this.varint(length);
    this.position += length;
  }
}

export function varintLength(value: number): number {
  if (value < 0x80) return 1;
  if (value < 0x4000) return 2;
  if (value < 0x200000) return 3;
  return value < 0x10000000 ? 4 : 5;
}
