import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { ClewError } from '../base/errors.ts';
import type { Report } from '../diagnosis/finding.ts';
import type { DoctorRun } from './doctor-run.ts';

/** The last run of the doctor in this folder, for `clew fix`. */
export interface KeptRun {
  run: DoctorRun;
  report: Report;
}

/** Where tools keep what is not worth a commit; a folder without packages gets a hidden file. */
function keptFile(): string {
  const modules = join(process.cwd(), 'node_modules');
  if (!existsSync(modules)) return join(process.cwd(), '.clew-doctor.json');
  const folder = join(modules, '.cache', 'clew');
  mkdirSync(folder, { recursive: true });
  return join(folder, 'doctor.json');
}

/** Keeps a run; where the folder cannot be written to, only `clew fix` is lost. */
export function keepRun(kept: KeptRun): void {
  try {
    writeFileSync(keptFile(), JSON.stringify(kept));
  } catch {
    // `clew fix` will say that there is no run.
  }
}

/** The last run; an `ERR_OPTION` where there is none. */
export function lastRun(): KeptRun {
  try {
    const kept = JSON.parse(readFileSync(keptFile(), 'utf8')) as KeptRun;
    // An earlier version kept no routes.
    return { ...kept, report: Object.assign({ routes: {} }, kept.report) };
  } catch (error) {
    throw new ClewError('ERR_OPTION', 'There is no report to fix. Run `clew doctor app.js` here.', {
      cause: error,
    });
  }
}
