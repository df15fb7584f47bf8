import { existsSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { isMainThread, threadId } from 'node:worker_threads';

import { messageOf } from '../base/errors.ts';
import { isRunning } from '../base/is-running.ts';
import { say } from '../base/log.ts';
import type { ContextLossDetector } from '../diagnosis/detector.ts';
import { runUntraced } from '../tracer/owner.ts';
import { withRegisterAdvice } from './register-advice.ts';

/** What the command looks for in its folder. */
export const REPORT_FILE = 'report.json';
const REPORTS = /^report(?:-\d+-\d+)?\.json$/;
/** The end of a report's name while it is put together. */
const UNFINISHED = '.new';
/** The mark of a process that has its last report still to write. */
const RUNNING = /^running-(\d+)$/;
const MAX_REPORTS = 200;
const EVERY_MILLIS = 1000;
/** How soon after a loss it is in the report: a worker thread may be terminated at any time. */
const SOON_MILLIS = 50;
/** How much longer than it takes to write a report the next one waits. */
const SPARE = 20;

/** The files of reports in a folder, that of the application's main thread first. */
export function reportFiles(folder: string): string[] {
  const names = readdirSync(folder).filter((name) => REPORTS.test(name));
  return names
    .toSorted((a, b) => a.length - b.length)
    .slice(0, MAX_REPORTS)
    .map((name) => join(folder, name));
}

/** Whether a report is begun and not finished. */
export const isBeingWritten = (file: string): boolean => existsSync(`${file}${UNFINISHED}`);

/** The report of a thread; the number of a main thread is 0. */
export const fileAside = (folder: string, pid: number, thread = 0): string =>
  join(folder, `report-${pid}-${thread}.json`);

/** The processes that the application started and that have not written their last report. */
export function processesAside(folder: string): number[] {
  const pids = readdirSync(folder).flatMap((name) => RUNNING.exec(name)?.[1] ?? []);
  return pids.map(Number).filter(isRunning);
}

/** The reports of what may end without a word. */
export interface ReportsAside {
  /** Writes one soon, as there is something new. */
  soon(): void;
  /** Writes the last one. */
  last(): void;
}

/**
 * Writes the report of a worker thread or of a process that the application started, which may end
 * without a word: soon after a loss and now and then, while there is something new, and at its end,
 * for which the command waits. Where the command has ended, the detector is stopped.
 */
export function reportAside(file: string, detector: ContextLossDetector): ReportsAside {
  const folder = dirname(file);
  const own = fileAside(folder, process.pid, threadId);
  const mark = join(folder, `running-${process.pid}`);
  let written = JSON.stringify(detector.stats());
  const look = (): void => {
    if (!existsSync(folder)) {
      clearInterval(timer);
      detector.stop();
      return;
    }
    const now = JSON.stringify(detector.stats());
    if (now !== written) writeReport(own, detector);
    written = now;
  };
  const timer = setInterval(look, EVERY_MILLIS).unref();
  let isPlanned = false;
  if (isMainThread) unfailing(() => writeFileSync(mark, ''));
  return {
    soon() {
      if (isPlanned) return;
      isPlanned = true;
      runUntraced(() =>
        setTimeout(() => {
          const late = performance.now();
          look();
          // What is dear to write is written less often.
          const millis = Math.min(EVERY_MILLIS, (performance.now() - late) * SPARE);
          setTimeout(() => (isPlanned = false), millis).unref();
        }, SOON_MILLIS).unref(),
      );
    },
    last() {
      if (!existsSync(folder)) return;
      writeReport(own, detector);
      if (isMainThread) unfailing(() => rmSync(mark, { force: true }));
    },
  };
}

/** Without its mark a process is not waited for. */
function unfailing(act: () => void): void {
  try {
    act();
  } catch {
    // The folder may be gone, or not this user's.
  }
}

/** Writes what was found so far for the command to read: the whole of it, or nothing. Never throws. */
export function writeReport(file: string, detector: ContextLossDetector, rules?: string): void {
  try {
    // To put it together may take seconds, for which the command waits.
    writeFileSync(`${file}${UNFINISHED}`, '');
    const report = withRegisterAdvice(detector.report());
    if (rules !== undefined) report.rules = rules;
    writeFileSync(`${file}${UNFINISHED}`, JSON.stringify(report));
    renameSync(`${file}${UNFINISHED}`, file);
  } catch (error) {
    unfailing(() => rmSync(`${file}${UNFINISHED}`, { force: true }));
    say('warn', `the report of clew doctor could not be written: ${messageOf(error)}`);
  }
}
