import { columnsOf } from '../base/columns.ts';
import { say } from '../base/log.ts';
import { readConfig } from '../config.ts';
import { withoutSecrets } from '../export/sender/delivery-log.ts';
import { parseArguments } from './arguments.ts';
import { MAX_JSON, printJson } from './output.ts';
import { runProgram, splitNodeProgram, type ProgramEnd } from './program.ts';
import { RunReports } from './run-report.ts';
import { summaryJson, summaryLines } from './run-summary.ts';
import { NO_ANSWER, probeCollector } from './view/collector.ts';
import type { RunViewer } from './view/run-viewer.ts';

const USAGE = `Usage: clew run [options] [node options] app.js [arguments]

Runs a Node application with tracing, and prints for each request where its time
went: running, waiting for I/O, or waiting for the event loop, and which request
blocked it. At the end it prints a summary by name.

Options
  --quiet               trace, but print no line per request and no summary
  --view                show the traces on a local page while it runs
  --port N              port of that page; default: 16686, or a free one
  --open                like --view, and open the page in a browser
  --resource-spans N    share of sampled requests, 0 to 1, whose async resources
                        become spans
  --json                print the summary and the slowest requests at the end as
                        JSON (clew.output.schema.json); what the application
                        prints goes to standard error
  --help                show this

While it runs, SIGUSR2 or \`clew record --pid\` starts a recording.`;

const OPTIONS = {
  quiet: { type: 'boolean' },
  view: { type: 'boolean' },
  port: { type: 'string' },
  open: { type: 'boolean' },
  'resource-spans': { type: 'string' },
  json: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
} as const;

/** Runs an application with clew and prints a line for each of its requests. */
export async function run(args: string[]): Promise<number> {
  const { own, program } = splitNodeProgram(args, OPTIONS);
  const values = parseArguments(own, OPTIONS);
  if (values.help) {
    console.log(USAGE);
    return 0;
  }
  const { quiet = false, json = false } = values;
  const env: Record<string, string> = { CLEW_TRACER: process.env['CLEW_TRACER'] ?? 'watch' };
  if (!quiet) env['CLEW_REPORT_START'] = '1';
  if (quiet) env['CLEW_PRINT_REQUESTS'] = '0';
  const share = values['resource-spans'];
  if (share !== undefined) env['CLEW_RESOURCE_SPANS'] = share;
  const viewer = await viewerFor(program, values);
  const ended = new AbortController();
  const reports = new RunReports();
  if (!quiet && !viewer && program.length > 0) {
    const { config } = readConfig({}, process.env);
    if (!config.disabled && config.exporter === 'otlp') {
      env['CLEW_COLLECTOR_REPORTED'] = withoutSecrets(config.tracesUrl);
      void reportCollector(config.tracesUrl, reports, ended.signal);
    }
  }
  const startedAt = performance.now();
  try {
    return await runProgram(program, {
      env: { ...env, ...viewer?.env, ...reports.env },
      stdout: json ? 'stderr' : 'inherit',
      onEnd: (end) => {
        const seconds = (performance.now() - startedAt) / 1000;
        if (json) printEnd(end, seconds, reports, viewer?.pageUrl);
        else if (!quiet) printSummary(seconds, reports);
        // The signal that ended the application may end this process next.
        reports.remove();
      },
    });
  } finally {
    ended.abort();
    reports.remove();
    await viewer?.stop();
  }
}

/** Reports whether spans find a collector, as soon as that is known. */
async function reportCollector(
  tracesUrl: string,
  reports: RunReports,
  ended: AbortSignal,
): Promise<void> {
  const { origin } = new URL(tracesUrl);
  const reason = await probeCollector(tracesUrl, ended);
  if (ended.aborted) return;
  // Without the headers that the application sends it may refuse, but it is there.
  if (reason === undefined || reason.startsWith('it answers')) {
    say('info', `the collector at ${origin} answers`);
  } else {
    if (reason === NO_ANSWER) reports.noteSilentCollector();
    say('info', `no collector answers at ${origin} (${reason}): --view shows the traces`);
  }
}

async function viewerFor(
  program: readonly string[],
  values: { view?: boolean; open?: boolean; port?: string },
): Promise<RunViewer | undefined> {
  const { view, open = false, port } = values;
  // Without an application there is nothing to view: `runProgram` reports it.
  if (program.length === 0 || (!view && !open && port === undefined)) return undefined;
  const { startRunViewer } = await import('./view/run-viewer.ts');
  return startRunViewer({ open, port });
}

function printSummary(seconds: number, reports: RunReports): void {
  const { totals } = reports.read();
  for (const line of summaryLines(totals, seconds, columnsOf(process.stderr))) say('info', line);
}

function printEnd(
  { code, signal }: ProgramEnd,
  seconds: number,
  reports: RunReports,
  pageUrl: string | undefined,
): void {
  printJson('run', {
    ...(code === null ? {} : { exitCode: code }),
    ...(signal === null ? {} : { signal }),
    seconds: Math.round(seconds * 1e3) / 1e3,
    ...(pageUrl === undefined ? {} : { pageUrl }),
    ...summaryJson(reports.read().totals, MAX_JSON - 500),
  });
}
