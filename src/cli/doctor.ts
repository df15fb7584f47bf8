import { ClewError, optionError } from '../base/errors.ts';
import { say } from '../base/log.ts';
import { counts, type Finding, type Report } from '../diagnosis/finding.ts';
import { reportText } from '../diagnosis/report-text.ts';
import { parseArguments } from './arguments.ts';
import { keepRun } from './doctor-memory.ts';
import { runDoctor, type DoctorResult, type DoctorRun } from './doctor-run.ts';
import { splitNodeProgram } from './program.ts';

const USAGE = `Usage: clew doctor [options] [node options] app.js [arguments]

Runs a Node application, watches its traffic, and reports where it loses the
context: your line, the async resource it ran in, the package that handed over,
the request it belongs to, and the change that repairs it. It works beside any
OpenTelemetry set-up, beside dd-trace, and without tracing.

Options
  --json            print the findings as JSON (clew.findings.schema.json); what
                    the application prints goes to standard error
  --strict          findings that are only possible count, too
  --traffic CMD     run this command once the application listens, and end the
                    application when the command ends
  --for SECONDS     end the application after that time
  --every SECONDS   report while it runs, too, when there is something new
  --deep            keep the creation stack of every timer; costs more
  --no-color        no colours (also: NO_COLOR)
  --help            show this

The report comes when the application ends; Ctrl-C ends it. SIGUSR2 asks for one
at any time. There is no \`--pid\`: what was created before the doctor came has
no origin to name, and opening the inspector of a running process from outside
would let every local user into it. Start the process under the doctor instead.

Exit status: 0 nothing found, 1 something found, 2 wrong usage; else that of the
application, if it failed by itself and nothing was found.`;

const OPTIONS = {
  json: { type: 'boolean' },
  strict: { type: 'boolean' },
  traffic: { type: 'string' },
  for: { type: 'string' },
  every: { type: 'string' },
  deep: { type: 'boolean' },
  'no-color': { type: 'boolean' },
  // Refused, with the reason.
  pid: { type: 'string' },
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
  if (values.pid !== undefined) {
    const message = 'There is no --pid: start the process under the doctor (clew doctor --help).';
    throw new ClewError('ERR_OPTION', message);
  }
  const { json = false, strict = false } = values;
  const run: DoctorRun = {
    program,
    traffic: values.traffic,
    deep: values.deep,
    forSeconds: seconds('--for', values.for),
  };
  const everySeconds = seconds('--every', values.every);
  const print = (report: Report): void => printReport(report, { ...values, strict, json });
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
          print(report);
          last = JSON.stringify(report.findings);
        },
  });
  const { report } = result;
  if (!report) {
    say('error', 'the application ended before it could report.');
    return result.code ?? 1;
  }
  keepRun({ run, report });
  if (json || JSON.stringify(report.findings) !== last) print(report);
  return exitCode(result, report, strict);
}

function idOf({ name, yourLine, summary }: Finding): string {
  return `${name} ${yourLine ? `${yourLine.file}:${yourLine.line}` : summary}`;
}

function exitCode({ code, wasEnded }: DoctorResult, report: Report, strict: boolean): number {
  if (report.findings.some((finding) => counts(finding, strict))) return 1;
  return wasEnded ? 0 : (code ?? 1);
}

interface PrintOptions {
  json: boolean;
  strict: boolean;
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
  const width = stdout.isTTY ? Math.min(stdout.columns, 120) : 80;
  stdout.write(reportText(report, { colour, width, strict: options.strict }));
}

function seconds(option: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const value = Number(text);
  if (Number.isFinite(value) && value > 0) return value;
  throw optionError(option, 'a positive number of seconds', text);
}
