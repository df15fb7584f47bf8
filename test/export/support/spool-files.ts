import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { HEADER, kindAt, scanFrames, SPAN } from '../../../src/export/encoding/frame-format.ts';
import { MAX_FILE_BYTES } from '../../../src/export/spool/spool-index.ts';
import { SPOOL_MAGIC } from '../../../src/export/spool/file-safety.ts';
import { asker, readSettled } from '../../../src/export/spool/delivered-ranges.ts';

/** A span begins with its ids: tag and length, 16 bytes of the trace's, tag and length, 8 bytes. */
const SPAN_ID: number = HEADER + 2 + 16 + 2;

/** The ids of the spans below `folder` whose fate is open. */
export function spanIdsIn(folder: string): Set<string> {
  const ids = new Set<string>();
  if (!existsSync(folder)) return ids;
  for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
    if (!name.endsWith('.spool')) continue;
    const path = join(folder, name);
    const bytes = readFileSync(path);
    const { settled } = readSettled(path, MAX_FILE_BYTES, (error) => {
      throw error;
    });
    const isSettled = asker(settled);
    scanFrames(bytes, SPOOL_MAGIC.length, (start) => {
      if (kindAt(bytes, start) !== SPAN || isSettled(start)) return;
      ids.add(bytes.toString('hex', start + SPAN_ID, start + SPAN_ID + 8));
    });
  }
  return ids;
}
