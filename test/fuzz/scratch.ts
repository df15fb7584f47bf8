import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

let folder: string | undefined;

/** A path in a folder of this process that is deleted at its end. */
export function scratchFile(name: string): string {
  if (folder === undefined) {
    const made = (folder = mkdtempSync(join(tmpdir(), 'clew-fuzz-')));
    process.once('exit', () => rmSync(made, { recursive: true, force: true }));
  }
  return join(folder, name);
}
