import { renameSync, writeFileSync } from 'node:fs';
import { isMainThread } from 'node:worker_threads';

import { messageOf } from '../base/errors.ts';
import { say } from '../base/log.ts';
import { ContextLossDetector } from '../diagnosis/detector.ts';
import { beforeFatalSignal } from '../export/fatal-signals.ts';
import { enableRules, findRuleFile } from '../instrumentation/rules/index.ts';
import { hookImports } from '../instrumentation/index.ts';
import { quietly } from '../tracer/owner.ts';

/*
 * What `clew doctor` loads into the application, before anything else: the detector, and the rules
 * of the working directory. The report is written to a file that the command reads: when the
 * application ends, when a signal asks for it, and every few seconds where that was asked for.
 * Worker threads are left alone.
 */
interface Settings {
  report: string;
  serving: string;
  deep: boolean;
  everySeconds?: number;
}

const settings = process.env['CLEW_DOCTOR'];
// Processes the application starts inherit the environment; the report is this one's.
delete process.env['CLEW_DOCTOR'];
if (isMainThread && settings) examine(JSON.parse(settings) as Settings);

function examine({ report, serving, deep, everySeconds }: Settings): void {
  const detector = new ContextLossDetector({
    deep,
    onServing: () => writeFileSync(serving, ''),
  }).start();
  const file = findRuleFile(process.cwd());
  if (file) {
    try {
      enableRules({ builtIn: false, files: [file] });
      hookImports();
    } catch (error) {
      say('warn', messageOf(error));
    }
  }
  const write = (): void => {
    try {
      writeFileSync(`${report}.new`, JSON.stringify(detector.report()));
      renameSync(`${report}.new`, report);
    } catch (error) {
      say('warn', `the report of clew doctor could not be written: ${messageOf(error)}`);
    }
  };
  quietly(() => {
    process.once('exit', write);
    process.on('SIGUSR2', write);
    if (everySeconds) setInterval(write, everySeconds * 1000).unref();
    // Where the application listens for a signal, it decides, and `exit` comes when it ends.
    beforeFatalSignal(write);
  });
}
