import { constants, gunzipSync } from 'node:zlib';
import { closeSync, constants as flags, fstatSync, openSync, readFileSync } from 'node:fs';

import { ClewError, messageOf } from '../../base/errors.ts';
import { parseLines, type Recording } from './format.ts';
import { wholeRequests } from './whole-requests.ts';

/** The recorder ends a file at 100 MB. */
const MAX_FILE_BYTES = 256 * 1024 * 1024;
const MAX_UNPACKED_BYTES = 512 * 1024 * 1024;
const MAX_LINE_BYTES = 64 * 1024 * 1024;
const NEWLINE = 10;

/**
 * Reads a `.clew` file; a truncated one is read up to its end. Throws `ERR_OPTION` if it is not a
 * recording, is damaged, or holds more than can be read at once.
 */
export function readRecording(file: string): Recording {
  try {
    return parseRecording(readBounded(file));
  } catch (error) {
    throw new ClewError('ERR_OPTION', `Cannot read ${file}: ${messageOf(error)}`, { cause: error });
  }
}

/**
 * Returns the recording in the bytes of a `.clew` file, with each request as one group. Throws if
 * they are not a recording.
 */
export function parseRecording(bytes: Buffer): Recording {
  const recording = parseLines(linesOf(unpack(bytes)));
  return { ...recording, traces: wholeRequests(recording.traces, recording.header.startedAt) };
}

/** Reads a file that is not too large to be read at once. Throws if it is not a regular file. */
export function readBounded(file: string): Buffer {
  // Opening a pipe to read would wait for a writer.
  const fd = openSync(file, flags.O_RDONLY | (flags.O_NONBLOCK ?? 0));
  try {
    const stats = fstatSync(fd);
    if (!stats.isFile()) throw new TypeError('it is not a file');
    if (stats.size > MAX_FILE_BYTES) throw new RangeError(`it is ${stats.size} bytes long`);
    return readFileSync(fd);
  } finally {
    closeSync(fd);
  }
}

function unpack(bytes: Buffer): Buffer {
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) throw new TypeError('it is not a .clew recording');
  try {
    const finishFlush = constants.Z_SYNC_FLUSH;
    return gunzipSync(bytes, { finishFlush, maxOutputLength: MAX_UNPACKED_BYTES });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_BUFFER_TOO_LARGE') throw error;
    const limit = `${MAX_UNPACKED_BYTES / 1024 / 1024} MiB`;
    throw new RangeError(`it unpacks to more than ${limit}; record for a shorter time`, {
      cause: error,
    });
  }
}

/** Line by line: the whole text may be longer than the maximum length of a string. */
function* linesOf(bytes: Buffer): Generator<string> {
  for (let start = 0; start < bytes.length;) {
    const newline = bytes.indexOf(NEWLINE, start);
    const end = newline === -1 ? bytes.length : newline;
    if (end - start > MAX_LINE_BYTES) throw new RangeError('one of its lines is too long');
    yield bytes.toString('utf8', start, end);
    start = end + 1;
  }
}
