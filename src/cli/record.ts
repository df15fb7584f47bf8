import { randomUUID } from 'node:crypto';
import { rmSync } from 'node:fs';
import { resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { ClewError, messageOf, optionError } from '../base/errors.ts';
import { isRunning } from '../base/is-running.ts';
import { plainText } from '../base/plain-text.ts';
import { TRACER_LEVELS, type TracerLevel } from '../tracer/record.ts';
import {
  announcementFile,
  readJson,
  requestFile,
  startOf,
  statusFile,
  timestamp,
  writeJson,
  type Announcement,
  type RecordRequest,
  type RecordStatus,
} from '../tracer/recording/control.ts';
import { CONVERSIONS } from '../tracer/recording/convert.ts';
import type { Recording } from '../tracer/recording/format.ts';
import { readRecording } from '../tracer/recording/read.ts';
import { RECORD_HEADER, signRecordHeader } from '../tracer/recording/signed-header.ts';
import { parseArguments } from './arguments.ts';
import { printJson } from './output.ts';
import { runProgram, splitNodeProgram } from './program.ts';
import { RunReports } from './run-report.ts';
import { writeOut } from './write-out.ts';

/** Of a cluster each process has its own. */
const MAX_RECORDINGS = 20;
const FORMATS = Object.keys(CONVERSIONS);
const USAGE = `Usage: clew record [options] --pid PID        a process that runs under clew run
       clew record [options] [node options] app.js [arguments]
       clew record --convert FORMAT file.clew [--out FILE]
       clew record --sign "GET /path"
       clew record --pid PID --level LEVEL

Records every async resource of a process, with the line that created it, into
one file. A request costs about twenty times as much while it is recorded.

Options
  --for SECONDS     how long, default 10; the application runs on after it
  --requests N      end after N responses; work of unfinished requests is
                    recorded as work outside of any request
  --out FILE        the file to write
  --convert FORMAT  convert a recording to ${FORMATS.join(', ')}
  --sign REQUEST    print a header that starts a recording of one request; valid
                    for 5 minutes, once in each process and worker thread, and
                    signed with CLEW_RECORD_SECRET, which they must have
  --level LEVEL     record nothing, but change what the process traces:
                    ${TRACER_LEVELS.join(', ')}
  --json            print the result as JSON (clew.output.schema.json); what
                    an application prints goes to standard error
  --help            show this`;

const OPTIONS = {
  pid: { type: 'string' },
  for: { type: 'string' },
  requests: { type: 'string' },
  out: { type: 'string', short: 'o' },
  convert: { type: 'string' },
  sign: { type: 'string' },
  level: { type: 'string' },
  json: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
} as const;

/** Records a process, or turns a recording into another format. */
export async function record(args: string[]): Promise<number> {
  const { own, program } = splitNodeProgram(args, OPTIONS);
  const values = parseArguments(own, OPTIONS);
  if (values.help) {
    console.log(USAGE);
    return 0;
  }
  const { json = false } = values;
  if (values.sign !== undefined) return sign(values.sign, json);
  if (values.convert !== undefined) return convert(values.convert, program, values);
  const request: RecordRequest = {
    id: randomUUID(),
    file: resolve(values.out ?? `recording-${timestamp()}.clew`),
  };
  if (values.for !== undefined) request.forMillis = 1000 * positive('--for', values.for);
  if (values.requests !== undefined) request.requests = positive('--requests', values.requests);
  if (values.level !== undefined) {
    if (values.pid === undefined) throw new ClewError('ERR_OPTION', '--level needs --pid.');
    request.level = levelOf(values.level);
  }
  if (values.pid !== undefined) return recordProcess(positive('--pid', values.pid), request, json);
  if (program.length === 0) throw new ClewError('ERR_OPTION', 'Give --pid or an application.');
  return recordProgram(program, request, json);
}

/** Records an application from its start. */
async function recordProgram(
  program: string[],
  request: RecordRequest,
  json: boolean,
): Promise<number> {
  const reports = new RunReports();
  try {
    return await runProgram(program, {
      env: { CLEW_RECORD_START: JSON.stringify(request), ...reports.env },
      stdout: json ? 'stderr' : 'inherit',
      onEnd: ({ code, signal }) => {
        const { recorded } = reports.read();
        if (json) {
          printJson('record', {
            ...(code === null ? {} : { exitCode: code }),
            ...(signal === null ? {} : { signal }),
            recordings: recorded.slice(0, MAX_RECORDINGS),
          });
        }
        // The signal that ended the application may end this process next.
        reports.remove();
      },
    });
  } finally {
    reports.remove();
  }
}

async function recordProcess(pid: number, request: RecordRequest, json: boolean): Promise<number> {
  const listening = readJson<Announcement>(announcementFile(pid));
  // The signal ends a process that does not listen for it: better to be sure.
  if (!listening || listening.started !== startOf(pid) || !isRunning(pid)) {
    const hint = 'Start it with `clew run`, or set CLEW_RECORD_SIGNAL=SIGUSR2 for clew/register.';
    throw new ClewError('ERR_OPTION', `Process ${pid} does not listen for recordings. ${hint}`);
  }
  writeJson(requestFile(pid), request);
  process.kill(pid, listening.signal);
  const until = performance.now() + (request.forMillis ?? 10_000) + 5000;
  let said: string | undefined;
  while (performance.now() < until) {
    await sleep(50);
    const status = readJson<RecordStatus>(statusFile(pid));
    if (status?.id !== request.id) continue;
    if (status.state !== said) tell(listening.program, status, json);
    said = status.state;
    if (status.state !== 'recording') {
      rmSync(statusFile(pid), { force: true });
      if (json && status.level) printJson('level', { pid, ...status.level });
      else if (json && status.recorded) {
        printJson('record', { pid, recordings: [status.recorded] });
      }
      return status.state === 'done' ? 0 : 1;
    }
    if (!isRunning(pid)) break;
  }
  throw new ClewError('ERR_OPTION', `Process ${pid} did not finish the recording.`);
}

function tell(program: string, { state, message }: RecordStatus, json: boolean): void {
  const print = json || state === 'failed' ? console.error : console.log;
  print(plainText(`${program}: ${message}`));
}

function sign(request: string, json: boolean): number {
  const [method, url, ...rest] = request.split(' ');
  if (!method || !url?.startsWith('/') || rest.length > 0) {
    throw optionError('--sign', 'a method and a path, like "GET /orders"', request);
  }
  const secret = process.env['CLEW_RECORD_SECRET'];
  if (!secret) {
    const hint = 'set it to at least 16 characters, for the application too';
    throw new ClewError('ERR_OPTION', `CLEW_RECORD_SECRET is not set: ${hint}.`);
  }
  const value = signRecordHeader({ secret, method: method.toUpperCase(), url });
  if (json) printJson('sign', { header: RECORD_HEADER, value });
  else console.log(`${RECORD_HEADER}: ${value}`);
  return 0;
}

function convert(
  format: string,
  [file, ...rest]: string[],
  { out, json = false }: { out?: string; json?: boolean },
): number {
  const conversion = CONVERSIONS[format];
  if (!conversion) throw optionError('--convert', `one of ${FORMATS.join(', ')}`, format);
  if (file === undefined) throw new ClewError('ERR_OPTION', 'Which recording? Name its file.');
  const late = parseArguments(rest, { out: OPTIONS.out, json: OPTIONS.json });
  const target = late.out ?? out;
  const isJson = json || late.json === true;
  if (target === undefined) {
    if (isJson) {
      throw new ClewError('ERR_OPTION', '--json needs --out: standard output is for the file.');
    }
    // `| head` closes the pipe early, which is no failure.
    process.stdout.on('error', () => process.exit());
    process.stdout.write(convertAll(file, conversion));
    return 0;
  }
  const text = convertAll(file, conversion);
  writeOut(target, text);
  if (isJson) printJson('convert', { format, file: target, bytes: Buffer.byteLength(text) });
  return 0;
}

function convertAll(file: string, conversion: (recording: Recording) => string): string {
  const recording = readRecording(file);
  try {
    return conversion(recording);
  } catch (error) {
    // The text is longer than a string can be, or times in the file make no sense.
    const message = `Cannot convert ${file}: ${messageOf(error)}`;
    throw new ClewError('ERR_OPTION', message, { cause: error });
  }
}

function levelOf(text: string): TracerLevel {
  const level = TRACER_LEVELS.find((one) => one === text);
  if (level === undefined) throw optionError('--level', `one of ${TRACER_LEVELS.join(', ')}`, text);
  return level;
}

function positive(option: string, text: string): number {
  const value = Number(text);
  if (Number.isFinite(value) && value > 0) return value;
  throw optionError(option, 'a positive number', text);
}
