import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';

import { ClewError } from '../../base/errors.ts';
import { ContextLossDetector } from '../../diagnosis/detector.ts';
import { beforeFatalSignal } from '../../export/fatal-signals.ts';
import { runUntraced } from '../../tracer/owner.ts';
import { writeReport } from '../doctor-report.ts';
import { ASK, LEAVE, type AttachSettings } from './line.ts';

/*
 * What `clew doctor --pid` loads into a process that runs already. It leaves no trace: when the line
 * to the command is closed, by whichever side, everything is undone.
 */

/** Another copy of this package may be in the process. */
const ATTACHED = Symbol.for('clew.doctor.attached');
const marks = globalThis as { [ATTACHED]?: boolean };

/** Begins to watch; resolves when that is so. */
export async function attach(settings: AttachSettings): Promise<void> {
  if (marks[ATTACHED]) throw new ClewError('ERR_OPTION', 'another clew doctor is watching it');
  // Where the folder cannot be written to, there will be no report.
  writeFileSync(settings.serving, '');
  const socket = await runUntraced(async () => {
    const line = connect(settings.line);
    await once(line, 'connect');
    return line.unref();
  });
  watch(socket, settings);
}

function watch(socket: Socket, { report, deep, everySeconds }: AttachSettings): void {
  const detector = new ContextLossDetector({ deep, late: true }).start();
  marks[ATTACHED] = true;
  const write = (): void => writeReport(report, detector);
  runUntraced(() => {
    const undoSignals = beforeFatalSignal(write);
    const timer = everySeconds ? setInterval(write, everySeconds * 1000).unref() : undefined;
    const leave = (): void => {
      delete marks[ATTACHED];
      clearInterval(timer);
      undoSignals();
      process.off('exit', write);
      detector.stop();
    };
    process.once('exit', write);
    socket.on('data', (sent) => {
      for (const command of sent.toString()) {
        if (command === ASK) write();
        else if (command === LEAVE) {
          write();
          socket.destroy();
        }
      }
    });
    // The command may have been killed: its socket is closed all the same.
    socket.on('error', () => undefined).once('close', leave);
  });
}
