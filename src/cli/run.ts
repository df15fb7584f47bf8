import { parseArguments } from './arguments.ts';
import { runProgram, splitProgram } from './program.ts';

const USAGE = `Usage: clew run [options] app.js [arguments]

Runs a Node application with tracing, and says of each request where its time
went: running, waiting for I/O, or waiting because somebody else held the event
loop, and who.

Options
  --quiet               trace, but write no line per request
  --resource-spans N    share of sampled requests, 0 to 1, whose async resources
                        become spans
  --help                show this

While it runs, SIGUSR2 or \`clew record --pid\` starts a recording.`;

/** Runs an application with clew and prints a line for each of its requests. */
export async function run(args: string[]): Promise<number> {
  const { own, program } = splitProgram(args, ['--resource-spans']);
  const values = parseArguments(own, {
    quiet: { type: 'boolean' },
    'resource-spans': { type: 'string' },
    help: { type: 'boolean', short: 'h' },
  });
  if (values.help) {
    console.log(USAGE);
    return 0;
  }
  const env: Record<string, string> = { CLEW_TRACER: process.env['CLEW_TRACER'] ?? 'watch' };
  if (!values.quiet) env['CLEW_REPORT_START'] = '1';
  if (values.quiet) env['CLEW_PRINT_REQUESTS'] = '0';
  const share = values['resource-spans'];
  if (share !== undefined) env['CLEW_RESOURCE_SPANS'] = share;
  return runProgram(program, env);
}
