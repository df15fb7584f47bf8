import { constants, gunzipSync } from 'node:zlib';
import { readFileSync } from 'node:fs';

import { ClewError, messageOf } from '../../base/errors.ts';
import { parseLines, type Recording } from './format.ts';

/** Reads a `.clew` file; one that was cut short is read up to the cut. */
export function readRecording(file: string): Recording {
  try {
    const text = gunzipSync(readFileSync(file), { finishFlush: constants.Z_SYNC_FLUSH });
    return parseLines(text.toString());
  } catch (error) {
    throw new ClewError('ERR_OPTION', `Cannot read ${file}: ${messageOf(error)}`, { cause: error });
  }
}
