import { columnsOf } from '../base/columns.ts';
import { ClewError, optionError } from '../base/errors.ts';
import { say } from '../base/log.ts';
import { counts, type Finding, type Report } from '../diagnosis/finding.ts';
import { wrapped } from '../diagnosis/fold-words.ts';
import { reportText } from '../diagnosis/report-text.ts';
import { parseArguments } from './arguments.ts';
import { keepRun } from './doctor-memory.ts';
import { runDoctor, type DoctorResult, type DoctorRun } from './doctor-run.ts';
import { splitNodeProgram } from './program.ts';

const USAGE = `Usage: clew doctor [options] [node options] app.js [arguments]
       clew doctor [options] --pid PID

Runs a Node application, watches its traffic, and reports where it loses the
context: your line, the async resource it ran in, the package that called it,
the request it belongs to, and the change that repairs it. It works with any
OpenTelemetry set-up, with dd-trace, and without tracing.

Options
  --json            print the findings as JSON (clew.findings.schema.json); what
                    the application prints goes to standard error
  --strict          count findings that are only possible, too
  --traffic CMD     run this command once the application listens, and end the
                    application when the command ends
  --for SECONDS     end the application after that time
  --every SECONDS   also report while it runs, when there is something new
  --deep            keep the creation stack of every timer; costs more
  --no-color        no colours (also: NO_COLOR)
  --pid PID         watch a running process, until Ctrl-C, --for or the end of
                    --traffic; after that it runs on as before
  --inspector PORT  the port of that process's inspector
  --help            show this

The report is printed when the application ends; Ctrl-C ends it. SIGUSR2 prints
one at any time.

--pid attaches to a process of the same user through Node's inspector. If that
is closed, the doctor sends SIGUSR1, on which Node opens it on loopback; after
one call the process closes it again. A process that listens for SIGUSR1 itself
gets that signal; a process that it would end is not sent the signal. The doctor
cannot know where things were created before it attached: to see everything,
start the application under the doctor.

Exit status: 0 nothing found, 1 something found, 2 wrong usage, or the
application failed before it served anything; the application's own status if it
failed later and nothing was found.`;

const OPTIONS = {
  json: { type: 'boolean' },
  strict: { type: 'boolean' },
  traffic: { type: 'string' },
  for: { type: 'string' },
  every: { type: 'string' },
  deep: { type: 'boolean' },
  'no-color': { type: 'boolean' },
  pid: { type: 'string' },
  inspector: { type: 'string' },
  help: { type: 'boolean', short: 'h' },
} as const;

/** Runs an application and reports where it loses the context. */
export async function doctor(args: string[]): Promise<number> {
  const { own, program } = splitNodeProgram(args, OPTIONS);
  const values = parseArguments(own, OPTIONS);
  if (values.help) {
    console.log(USAGE);
    return 0;
  }
  const { json = false, strict = false } = values;
  const run: DoctorRun = {
    program,
    ...running(values, program),
    traffic: values.traffic,
    deep: values.deep,
    forSeconds: seconds('--for', values.for),
  };
  const everySeconds = seconds('--every', values.every);
  const print = (report: Report, failed?: string): void =>
    printReport(report, { ...values, strict, json, failed, pid: run.pid });
  const shown = new Set<string>();
  let last = '';
  const result = await runDoctor({
    ...run,
    stdout: json ? 'stderr' : 'inherit',
    everySeconds,
    onReport: json
      ? undefined
      : (report) => {
          // Counts rise all the time; what is new is worth to be read.
          const added = report.findings.map(idOf).filter((id) => !shown.has(id));
          for (const id of added) shown.add(id);
          if (added.length === 0) return;
          print(repeatable(report, run));
          last = JSON.stringify(report.findings);
        },
  });
  const report = result.report && repeatable(result.report, run);
  if (!report) {
    say('error', `the application ended ${endOf(result)} before it could report.`);
    return 2;
  }
  const { trafficFailure } = result;
  if (trafficFailure) say('error', `the traffic command failed ${trafficFailure}.`);
  const failed = failedEarly(result, report) ? endOf(result) : undefined;
  // A mistyped name leaves what `clew fix` goes by.
  if (failed === undefined) keepRun({ run, report });
  if (json && failed) say('error', `the application failed ${failed} before it served anything.`);
  if (json || failed || JSON.stringify(report.findings) !== last) print(report, failed);
  return exitCode(result, report, strict);
}

/**
 * A process that ran already cannot be run again: `clew fix` can only show there what it would do.
 */
function repeatable(report: Report, { pid }: DoctorRun): Report {
  if (pid === undefined) return report;
  const findings = report.findings.map((finding) => {
    const { check: _check, command, ...fix } = finding.fix;
    return {
      ...finding,
      fix: command === undefined ? fix : { ...fix, command: `${command} --dry-run` },
    };
  });
  return { ...report, findings };
}

/** The process that is asked for by `--pid`. */
function running(
  { pid, inspector: port }: { pid?: string; inspector?: string },
  program: readonly string[],
): Pick<DoctorRun, 'pid' | 'inspectorPort'> {
  if (pid === undefined) {
    if (port === undefined) return {};
    throw new ClewError('ERR_OPTION', '--inspector needs --pid.');
  }
  if (program.length > 0) {
    const message = 'Give either an application or --pid, not both.';
    throw new ClewError('ERR_OPTION', message);
  }
  const most = { '--pid': 2 ** 31, '--inspector': 65_535 };
  const whole = (option: keyof typeof most, text: string): number => {
    const value = /^\d+$/.test(text) ? Number(text) : 0;
    if (value > 0 && value <= most[option]) return value;
    throw optionError(option, `a whole number from 1 to ${most[option]}`, text);
  };
  return {
    pid: whole('--pid', pid),
    inspectorPort: port === undefined ? undefined : whole('--inspector', port),
  };
}

function idOf({ name, yourLine, summary }: Finding): string {
  return `${name} ${yourLine ? `${yourLine.file}:${yourLine.line}` : summary}`;
}

function exitCode(result: DoctorResult, report: Report, strict: boolean): number {
  if (report.findings.some((finding) => counts(finding, strict))) return 1;
  if (failedEarly(result, report) || result.trafficFailure) return 2;
  return result.wasEnded ? 0 : (result.code ?? 1);
}

/** It failed by itself before there was anything to see. */
function failedEarly({ code, wasEnded }: DoctorResult, { requests, spans }: Report): boolean {
  return !wasEnded && code !== 0 && requests + spans === 0;
}

const endOf = ({ code, signal }: DoctorResult): string =>
  code === null ? `by ${signal}` : `with exit code ${code}`;

interface PrintOptions {
  json: boolean;
  strict: boolean;
  failed: string | undefined;
  pid: number | undefined;
  'no-color'?: boolean | undefined;
}

function printReport(report: Report, options: PrintOptions): void {
  const { stdout } = process;
  // `| head` closes the pipe early, which is no failure.
  stdout.on('error', () => undefined);
  if (options.json) {
    stdout.write(`${JSON.stringify(report, null, 2)}\n`);
    return;
  }
  const colour = stdout.isTTY && !options['no-color'] && !process.env['NO_COLOR'];
  const width = columnsOf(stdout);
  stdout.write(
    reportText(report, { colour, width, strict: options.strict, failed: options.failed }),
  );
  if (options.pid === undefined || !report.findings.some(({ fix }) => fix.change)) return;
  const next =
    'After a change, restart the application and run `clew doctor --pid` again: `clew fix` cannot start a process that ran already.';
  stdout.write(`\n${wrapped(next, width, '').join('\n')}\n`);
}

function seconds(option: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const value = Number(text);
  if (Number.isFinite(value) && value > 0) return value;
  throw optionError(option, 'a positive number of seconds', text);
}
