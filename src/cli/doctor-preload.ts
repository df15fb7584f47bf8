import { writeFileSync } from 'node:fs';
import {
  getEnvironmentData,
  isMainThread,
  parentPort,
  setEnvironmentData,
} from 'node:worker_threads';

import { messageOf } from '../base/errors.ts';
import { say } from '../base/log.ts';
import { ContextLossDetector } from '../diagnosis/detector.ts';
import { beforeFatalSignal } from '../export/fatal-signals.ts';
import { enableRules, findRuleFile } from '../instrumentation/rules/index.ts';
import { hookImports } from '../instrumentation/index.ts';
import { runUntraced } from '../tracer/owner.ts';
import { reportAside, writeReport } from './doctor-report.ts';
import type { DoctorSettings } from './doctor-subject.ts';
import { watchForClew } from './register-advice.ts';

/*
 * What `clew doctor` loads into the application, before anything else: the detector, and the rules
 * of the working directory. The report is written to a file that the command reads: when the
 * application ends, when a signal asks for it, and every few seconds where that was asked for.
 *
 * Worker threads, and processes that it forks, have this preload, too, and reports of their own.
 */
const IN_WORKERS = 'clew.doctor';

// The thread of the loader hooks has `--require` preloads, too, but is none of the application's.
const isLoader = !isMainThread && parentPort === null;
const settings = isMainThread ? process.env['CLEW_DOCTOR'] : getEnvironmentData(IN_WORKERS);
if (!isLoader && typeof settings === 'string') {
  if (isMainThread) setEnvironmentData(IN_WORKERS, settings);
  examine(JSON.parse(settings) as DoctorSettings);
}

function examine({ report, serving, deep, everySeconds, command }: DoctorSettings): void {
  let isOver = false;
  let write = (): void => undefined;
  let soon = (): void => undefined;
  const last = (): void => {
    isOver = true;
    write();
  };
  watchForClew();
  const detector = new ContextLossDetector({
    deep,
    onLoss: () => soon(),
    onServing: () => writeFileSync(serving, ''),
    onExportFailure: () => {
      if (isOver) write();
    },
  }).start();
  const file = findRuleFile(process.cwd());
  let rules: string | undefined;
  if (file) {
    try {
      enableRules({ builtIn: false, files: [file] });
      hookImports();
      rules = file;
    } catch (error) {
      say('warn', messageOf(error));
    }
  }
  // What the application starts has another parent than the command.
  const isAside = !isMainThread || process.ppid !== command;
  runUntraced(() => {
    if (isAside) {
      const reports = reportAside(report, detector);
      write = () => reports.last();
      soon = () => reports.soon();
      process.once('exit', last);
      if (isMainThread) beforeFatalSignal(last);
      return;
    }
    write = () => writeReport(report, detector, rules);
    process.once('exit', last);
    process.on('SIGUSR2', () => write());
    if (everySeconds) setInterval(() => write(), everySeconds * 1000).unref();
    // Where the application listens for a signal, it decides, and `exit` comes when it ends.
    beforeFatalSignal(last);
  });
}
