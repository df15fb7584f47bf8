import { ClewError, messageOf } from '../../base/errors.ts';
import { say } from '../../base/log.ts';
import { plainText } from '../../base/plain-text.ts';
import { readConfig } from '../../config.ts';
import { withoutSecrets } from '../../export/sender/delivery-log.ts';
import { readStaticFiles } from '../../viewer/http/static-files.ts';
import { dataIn, exportedOf, htmlFile } from '../../viewer/html-file.ts';
import type { Exported } from '../../viewer/trace-model.ts';
import { parseWithNames } from '../arguments.ts';
import { printJson } from '../output.ts';
import { writeOut } from '../write-out.ts';
import { appeared, describeTaken, probeCollector, probeViewer } from './collector.ts';
import { RemoteViewer } from './load.ts';
import { openBrowser } from './open-browser.ts';
import { pageFolder, portOf, startViewer, viewerOfFiles } from './start.ts';

const USAGE = `Usage: clew view [options] [file...]

Shows traces on a local page: those in files, or those that applications send
while it runs. Files are .clew recordings, OTLP/JSON, Jaeger's JSON, and reports
of \`clew doctor --json\`.

Options
  --live            receive spans (OTLP over HTTP); the default without a file
  --port N          port of the page; default: 16686, or a free one
  --otlp-port N     port that receives spans; default: 4318, or a free one
  --html FILE       write one self-contained HTML file and exit; without files,
                    from the running viewer (at --port N)
  --open            open the page in a browser
  --jaeger-ui DIR   serve the files of a Jaeger UI, too
  --host ADDRESS    listen on this address, not only on loopback; needs a token
  --token TOKEN     token that requests need; random if --host needs one
  --json            print the addresses, or what was written, as JSON
  --help            show this

If a collector such as Jaeger already answers at the OTLP address, the viewer
receives spans on a free port and also forwards them to the collector.

To send spans: clew run --view app.js, or, for the address 127.0.0.1:4318,
  node --import clew/register app.js`;

const OPTIONS = {
  live: { type: 'boolean' },
  port: { type: 'string' },
  'otlp-port': { type: 'string' },
  html: { type: 'string' },
  open: { type: 'boolean' },
  'jaeger-ui': { type: 'string' },
  host: { type: 'string' },
  token: { type: 'string' },
  json: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
} as const;

/** Shows traces on a local page until it is interrupted, or writes the page into a file. */
export async function view(args: string[]): Promise<number> {
  const { values, names: files } = parseWithNames(args, OPTIONS, 20);
  if (values.help) {
    console.log(USAGE);
    return 0;
  }
  if (values.live && files.length > 0) {
    throw new ClewError('ERR_OPTION', 'Give either --live or files, not both.');
  }
  if (values.live && values.html !== undefined) {
    const message = 'Either --live or --html: a viewer that runs already has the traces.';
    throw new ClewError('ERR_OPTION', message);
  }
  const port = portOf('--port', values.port);
  if (values.html !== undefined) {
    const page =
      files.length > 0 ? pageOf(files, values.html) : await savedPage(port, values.token);
    return writeHtml(page, values.html, values.json === true);
  }
  const token = values.token ?? (process.env['CLEW_VIEW_TOKEN'] || undefined);
  const otlpPort = portOf('--otlp-port', values['otlp-port']);
  const { forwardTo, awaited } = files.length === 0 ? await collector(port ?? otlpPort) : {};
  const running = await startViewer({
    files,
    port,
    otlpPort,
    host: values.host,
    token,
    jaegerUi: values['jaeger-ui'],
    forwardTo,
    awaited,
    onCollector: (url) => say('info', appeared(url)),
  });
  const { pageUrl, otlpUrl, viewer } = running;
  const { traces, spans, findings } = viewer.summary();
  const taken = await describeTaken(running);
  if (taken !== undefined) say('info', taken);
  if (values.json) printJson('view', { pageUrl, otlpUrl, forwardTo });
  else {
    console.log(`page      ${pageUrl}`);
    if (otlpUrl !== undefined) console.log(`spans     OTEL_EXPORTER_OTLP_ENDPOINT=${otlpUrl}`);
    if (forwardTo !== undefined) console.log(`forwarded ${withoutSecrets(forwardTo)}`);
    if (files.length > 0)
      console.log(`holds     ${traces} traces, ${spans} spans, ${findings} findings`);
    console.log('Ctrl-C ends it.');
  }
  if (values.open) openBrowser(pageUrl);
  await interrupted();
  await running.stop();
  return 0;
}

/**
 * What listens where spans usually go and is none of our viewers, or may do so later. A second viewer needs a
 * `port` of its own.
 */
async function collector(
  port: number | undefined,
): Promise<{ forwardTo?: string; awaited?: string }> {
  const { config, problems } = readConfig({}, process.env);
  for (const { message } of problems) say('warn', message);
  const { origin } = new URL(config.tracesUrl);
  if ((await probeCollector(config.tracesUrl)) !== undefined) return { awaited: config.tracesUrl };
  if ((await probeViewer(origin)) === undefined) return { forwardTo: config.tracesUrl };
  if (port !== undefined) return {};
  const message = `A viewer is already running at ${origin}; its page is there, too.`;
  const advice = `End it, open it: ${origin}/, or give this one a --port.`;
  throw new ClewError('ERR_PORT_IN_USE', `${message} ${advice}`);
}

interface SavedPage {
  html: string;
  data: Exported;
}

/** The page of the viewer that runs, at this port or at one of the usual. */
async function savedPage(port: number | undefined, token?: string): Promise<SavedPage> {
  const address = port === undefined ? undefined : `http://127.0.0.1:${port}`;
  const html = await (await RemoteViewer.find(address, token)).html();
  const data = dataIn(html);
  if (data.traces.length > 0) return { html, data };
  throw new ClewError('ERR_OPTION', 'The viewer has no traces yet: send it some, or name a file.');
}

function pageOf(files: readonly string[], out: string): SavedPage {
  const data = exportedOf(viewerOfFiles(files));
  try {
    return { html: htmlFile(readStaticFiles(pageFolder), data), data };
  } catch (error) {
    throw new ClewError('ERR_OPTION', `Cannot write ${out}: ${messageOf(error)}.`, {
      cause: error,
    });
  }
}

function writeHtml({ html, data }: SavedPage, out: string, json: boolean): number {
  writeOut(out, html);
  const { traces, omitted } = data;
  if (json) {
    const bytes = Buffer.byteLength(html);
    printJson('export', { format: 'html', file: out, traces: traces.length, bytes });
    return 0;
  }
  const rest = omitted > 0 ? `; ${omitted} more do not fit into one file` : '';
  console.log(
    plainText(`${out}: ${traces.length} traces, ${Buffer.byteLength(html)} bytes${rest}`),
  );
  return 0;
}

/** Resolves when the person or the system asks for the end. */
export function interrupted(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
      process.once(signal, () => resolve());
    }
  });
}
