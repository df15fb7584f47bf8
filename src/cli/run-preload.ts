import { isMainThread } from 'node:worker_threads';

import { messageOf } from '../base/errors.ts';
import { sayOnStderr } from '../base/log.ts';
import type { RecordRequest } from '../tracer/recording/control.ts';
import { startRecording } from '../tracer/recording/file-recorder.ts';
import type { RequestReport } from '../tracer/async-resource-tracer.ts';
import { fitLine, requestLine } from '../tracer/request-line.ts';
import { readTracingSettings } from '../tracer/settings.ts';
import { startTracing } from '../tracer/tracing.ts';
import { openRunReport } from './run-report.ts';

/*
 * What `clew run` and `clew record` load into the application after `clew/register`: the tracer at
 * level watch, a line per request, the signal for recordings, and a recording from the start where
 * one was asked for. Worker threads are left alone: their requests are the main thread's.
 */
const report = isMainThread ? openRunReport() : undefined;
if (isMainThread) {
  const { settings, problems } = readTracingSettings(process.env);
  for (const { message } of problems) sayOnStderr('warn', message);
  const level = process.env['CLEW_TRACER'] ? settings.level : 'watch';
  const { stderr } = process;
  const isPrinted = process.env['CLEW_PRINT_REQUESTS'] !== '0';
  const onRequest = (request: RequestReport): void => {
    report?.add(request);
    if (!isPrinted) return;
    const columns = stderr.isTTY ? stderr.columns : undefined;
    for (const part of fitLine(requestLine(request), columns)) sayOnStderr('info', part);
  };
  startTracing({
    ...settings,
    level,
    recordSignal: settings.recordSignal ?? 'SIGUSR2',
    onRequest: isPrinted || report ? onRequest : undefined,
    onEnd: report?.write,
  });
  // Processes the application starts inherit the environment; the start is reported once.
  delete process.env['CLEW_REPORT_START'];
  const asked = process.env['CLEW_RECORD_START'];
  // Processes the application starts inherit the environment; the recording is this one's.
  delete process.env['CLEW_RECORD_START'];
  if (asked) record(JSON.parse(asked) as RecordRequest);
}

function record(request: RecordRequest): void {
  let isEnding = false;
  // Before the recording's own listener.
  process.once('exit', () => (isEnding = true));
  try {
    startRecording({
      ...request,
      onEnd: ({ requests, records, bytes, file }) => {
        report?.addRecorded({ file, requests, records, bytes });
        sayOnStderr(
          'info',
          `recorded ${requests} requests, ${records} async resources, ${bytes} bytes in ${file}`,
        );
        if (!isEnding) sayOnStderr('info', 'the recording has ended; the application runs on');
      },
    });
  } catch (error) {
    sayOnStderr('error', messageOf(error));
  }
}
