import { randomUUID } from 'node:crypto';
import { rmSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { ClewError, messageOf, optionError } from '../base/errors.ts';
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
import { runProgram, splitProgram } from './program.ts';

const FORMATS = Object.keys(CONVERSIONS);
const USAGE = `Usage: clew record [options] --pid PID        a process that runs under clew run
       clew record [options] app.js [arguments]
       clew record --convert FORMAT file.clew [--out FILE]
       clew record --sign "GET /path"
       clew record --pid PID --level LEVEL

Records every async resource of a process, with the line that created it, into
one file. A request costs about twenty times as much while it is recorded.

Options
  --for SECONDS     how long, 10 unless told
  --requests N      end after so many requests
  --out FILE        the file to write
  --convert FORMAT  turn a recording into ${FORMATS.join(', ')}
  --sign REQUEST    a header that asks for a recording of this one request; good
                    once in each process and worker thread, for 5 minutes,
                    and signed with CLEW_RECORD_SECRET, which they must have
  --level LEVEL     record nothing, but switch what the process traces:
                    ${TRACER_LEVELS.join(', ')}
  --help            show this`;

const OPTIONS = {
  pid: { type: 'string' },
  for: { type: 'string' },
  requests: { type: 'string' },
  out: { type: 'string', short: 'o' },
  convert: { type: 'string' },
  sign: { type: 'string' },
  level: { type: 'string' },
  help: { type: 'boolean', short: 'h' },
} as const;

/** Records a process, or turns a recording into another format. */
export async function record(args: string[]): Promise<number> {
  const { own, program } = splitProgram(args, [
    '--pid',
    '--for',
    '--requests',
    '--out',
    '-o',
    '--convert',
    '--sign',
    '--level',
  ]);
  const values = parseArguments(own, OPTIONS);
  if (values.help) {
    console.log(USAGE);
    return 0;
  }
  if (values.sign !== undefined) return sign(values.sign);
  if (values.convert !== undefined) return convert(values.convert, program, values.out);
  const request: RecordRequest = {
    id: randomUUID(),
    file: resolve(values.out ?? `recording-${timestamp()}.clew`),
  };
  if (values.for !== undefined) request.forMillis = 1000 * positive('--for', values.for);
  if (values.requests !== undefined) request.requests = positive('--requests', values.requests);
  if (values.level !== undefined) {
    if (values.pid === undefined) throw new ClewError('ERR_OPTION', 'The level of which --pid?');
    request.level = levelOf(values.level);
  }
  if (values.pid !== undefined) return recordProcess(positive('--pid', values.pid), request);
  if (program.length === 0) throw new ClewError('ERR_OPTION', 'Name --pid or an application.');
  return runProgram(program, { CLEW_RECORD_START: JSON.stringify(request) });
}

async function recordProcess(pid: number, request: RecordRequest): Promise<number> {
  const listening = readJson<Announcement>(announcementFile(pid));
  // The signal ends a process that does not listen for it: better to be sure.
  if (!listening || listening.started !== startOf(pid) || !isAlive(pid)) {
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
    const print = status.state === 'failed' ? console.error : console.log;
    if (status.state !== said) print(plainText(`${listening.program}: ${status.message}`));
    said = status.state;
    if (status.state !== 'recording') {
      rmSync(statusFile(pid), { force: true });
      return status.state === 'done' ? 0 : 1;
    }
    if (!isAlive(pid)) break;
  }
  throw new ClewError('ERR_OPTION', `Process ${pid} did not finish the recording.`);
}

function sign(request: string): number {
  const [method, url, ...rest] = request.split(' ');
  if (!method || !url?.startsWith('/') || rest.length > 0) {
    throw optionError('--sign', 'a method and a path, like "GET /orders"', request);
  }
  const secret = process.env['CLEW_RECORD_SECRET'] ?? '';
  const value = signRecordHeader({ secret, method: method.toUpperCase(), url });
  console.log(`${RECORD_HEADER}: ${value}`);
  return 0;
}

function convert(format: string, [file, ...rest]: string[], out: string | undefined): number {
  const conversion = CONVERSIONS[format];
  if (!conversion) throw optionError('--convert', `one of ${FORMATS.join(', ')}`, format);
  if (file === undefined) throw new ClewError('ERR_OPTION', 'Which recording? Name its file.');
  const target = parseArguments(rest, { out: OPTIONS.out }).out ?? out;
  const text = convertAll(file, conversion);
  if (target === undefined) {
    // `| head` closes the pipe early, which is no failure.
    process.stdout.on('error', () => process.exit());
    process.stdout.write(text);
  } else writeFileSync(target, text);
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

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
