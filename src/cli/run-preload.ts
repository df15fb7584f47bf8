import { isMainThread } from 'node:worker_threads';

import { messageOf } from '../base/errors.ts';
import { say } from '../base/log.ts';
import type { RecordRequest } from '../tracer/recording/control.ts';
import { startRecording } from '../tracer/recording/recorder.ts';
import { fitLine } from '../tracer/request-line.ts';
import { readTracingSettings } from '../tracer/settings.ts';
import { startTracing } from '../tracer/tracing.ts';

/*
 * What `clew run` and `clew record` load into the application after `clew/register`: the tracer at
 * level watch, a line per request, the signal for recordings, and a recording from the start where
 * one was asked for. Worker threads are left alone: their requests are the main thread's.
 */
if (isMainThread) {
  const { settings, problems } = readTracingSettings(process.env);
  for (const { message } of problems) say('warn', message);
  const level = process.env['CLEW_TRACER'] ? settings.level : 'watch';
  const { stderr } = process;
  const printRequest = (line: string): void => {
    for (const part of fitLine(line, stderr.isTTY ? stderr.columns : undefined)) say('info', part);
  };
  startTracing({
    ...settings,
    level,
    recordSignal: settings.recordSignal ?? 'SIGUSR2',
    printRequest: process.env['CLEW_PRINT_REQUESTS'] === '0' ? undefined : printRequest,
  });
  const asked = process.env['CLEW_RECORD_START'];
  // Processes the application starts inherit the environment; the recording is this one's.
  delete process.env['CLEW_RECORD_START'];
  if (asked) record(JSON.parse(asked) as RecordRequest);
}

function record(request: RecordRequest): void {
  try {
    startRecording({
      ...request,
      onEnd: ({ requests, records, bytes, file }) =>
        say(
          'info',
          `recorded ${requests} requests, ${records} async resources, ${bytes} bytes in ${file}`,
        ),
    });
  } catch (error) {
    say('error', messageOf(error));
  }
}
