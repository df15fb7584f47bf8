import { writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

import { ClewError, messageOf } from '../base/errors.ts';

/** Writes the file a person named; `ERR_OPTION` where that cannot be. */
export function writeOut(file: string, text: string): void {
  try {
    writeFileSync(file, text);
  } catch (error) {
    throw new ClewError('ERR_OPTION', `Cannot write ${file}: ${reasonOf(error, file)}.`, {
      cause: error,
    });
  }
}

function reasonOf(error: unknown, file: string): string {
  switch ((error as NodeJS.ErrnoException).code) {
    case 'ENOENT':
      return `there is no folder ${dirname(file)}`;
    case 'EISDIR':
      return 'it is a folder';
    default:
      return messageOf(error);
  }
}
