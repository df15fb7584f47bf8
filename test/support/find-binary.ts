import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/** The first of `names` found on the PATH or in `folders`. */
export function findBinary(names: string[], folders: string[] = []): string | undefined {
  const path = [...folders, ...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin'];
  for (const name of names) {
    for (const folder of path) {
      const file = join(folder, name);
      if (folder && existsSync(file)) return file;
    }
  }
  return undefined;
}
