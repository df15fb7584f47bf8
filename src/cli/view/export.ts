import { ClewError, messageOf } from '../../base/errors.ts';
import { plainText } from '../../base/plain-text.ts';
import { toPerfettoJson } from '../../tracer/recording/convert.ts';
import { parseRecording, readBounded } from '../../tracer/recording/read.ts';
import { exportedOf, htmlFile } from '../../viewer/html-file.ts';
import { readStaticFiles } from '../../viewer/http/static-files.ts';
import { jaegerOf } from '../../viewer/jaeger/api.ts';
import { otlpOf } from '../../viewer/otlp-write.ts';
import { perfettoOf } from '../../viewer/perfetto.ts';
import type { Trace } from '../../viewer/store.ts';
import { Viewer } from '../../viewer/viewer.ts';
import { parseWithNames } from '../arguments.ts';
import { printJson } from '../output.ts';
import { writeOut } from '../write-out.ts';
import { describeFinding } from './findings.ts';
import { fullTraceId, limitOf, RemoteViewer, sourceOf } from './load.ts';
import { pageFolder } from './start.ts';

const USAGE = `Usage: clew export FORMAT [options] [file...]

Writes traces to a file for other tools. They are read from files (.clew
recordings, OTLP/JSON, Jaeger's JSON), or else from a running viewer.

Formats
  --otlp-json     one OTLP request, for collectors and Jaeger's upload
  --jaeger-json   for Jaeger's upload
  --perfetto      trace events for Perfetto and chrome://tracing
  --html          one self-contained page

Options
  --out FILE      the file to write; default: standard output
  --trace TRACE   only this one; the first digits of its id are enough
  --limit N       the newest N traces, 1 to 1000; default 1000
  --from URL      the viewer's address; default: as for clew show
  --json          with --out: print what was written as JSON
  --help          show this`;

const FORMATS = ['otlp-json', 'jaeger-json', 'perfetto', 'html'] as const;
type Format = (typeof FORMATS)[number];

const OPTIONS = {
  'otlp-json': { type: 'boolean' },
  'jaeger-json': { type: 'boolean' },
  perfetto: { type: 'boolean' },
  html: { type: 'boolean' },
  out: { type: 'string', short: 'o' },
  trace: { type: 'string' },
  limit: { type: 'string' },
  from: { type: 'string' },
  json: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
} as const;

type Values = ReturnType<typeof parseWithNames<typeof OPTIONS>>['values'];

/** Writes traces in another format. */
export async function exportTraces(args: string[]): Promise<number> {
  const { values, names: files } = parseWithNames(args, OPTIONS, 20);
  if (values.help) {
    console.log(USAGE);
    return 0;
  }
  const [format, ...more] = FORMATS.filter((one) => values[one]);
  if (format === undefined || more.length > 0) {
    const list = FORMATS.map((one) => `--${one}`).join(', ');
    throw new ClewError('ERR_OPTION', `Name one format: ${list}.`);
  }
  if (values.json && values.out === undefined) {
    throw new ClewError('ERR_OPTION', '--json needs --out: standard output is for the traces.');
  }
  const { text, traces } =
    recordedPerfetto(format, files, values) ?? (await converted(format, files, values));
  if (values.out === undefined) {
    // `| head` closes the pipe early, which is no failure.
    process.stdout.once('error', () => process.exit());
    process.stdout.write(text);
    return 0;
  }
  writeOut(values.out, text);
  const bytes = Buffer.byteLength(text);
  if (values.json) printJson('export', { format, file: values.out, traces, bytes });
  else console.log(plainText(`${values.out}: ${traces} traces, ${bytes} bytes`));
  return 0;
}

/** Of one recording Perfetto gets each callback, and not the spans that are made of them. */
function recordedPerfetto(
  format: Format,
  files: readonly string[],
  { trace }: Values,
): { text: string; traces: number } | undefined {
  const [file] = files;
  if (format !== 'perfetto' || files.length !== 1 || file === undefined || trace !== undefined) {
    return undefined;
  }
  try {
    const bytes = readBounded(file);
    if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) return undefined;
    const recording = parseRecording(bytes);
    return { text: `${toPerfettoJson(recording)}\n`, traces: recording.traces.length };
  } catch (error) {
    throw new ClewError('ERR_OPTION', `Cannot read ${file}: ${messageOf(error)}`, { cause: error });
  }
}

async function converted(
  format: Format,
  files: readonly string[],
  values: Values,
): Promise<{ text: string; traces: number }> {
  const { viewer, traces } = await chosen(files, values);
  if (format === 'html') {
    try {
      const data = exportedOf(viewer, new Set(traces.map(({ traceId }) => traceId)));
      return { text: htmlFile(readStaticFiles(pageFolder), data), traces: data.traces.length };
    } catch (error) {
      throw new ClewError('ERR_OPTION', `Cannot make the page: ${messageOf(error)}.`, {
        cause: error,
      });
    }
  }
  const json =
    format === 'jaeger-json'
      ? { data: traces.map(jaegerOf) }
      : format === 'perfetto'
        ? perfettoOf(traces)
        : otlpOf(traces.flatMap(({ spans }) => spans));
  return { text: `${JSON.stringify(json)}\n`, traces: traces.length };
}

/** The newest traces first, or the one that was asked for. */
async function chosen(
  files: readonly string[],
  { trace: asked, limit = '1000', from }: Values,
): Promise<{ viewer: Viewer; traces: Trace[] }> {
  const count = limitOf(limit);
  const source = await sourceOf(files, from);
  const ids =
    asked === undefined
      ? (await source.requests(new URLSearchParams({ limit: count }))).requests.map(
          (row) => row.traceId,
        )
      : [await fullTraceId(source, asked)];
  let viewer: Viewer;
  if (source instanceof Viewer) viewer = source;
  else {
    const { version } = await source.summary();
    viewer = new Viewer({ source: { kind: 'file', name: 'exported' }, version, describeFinding });
    if (source instanceof RemoteViewer) await source.copyTo(viewer, ids);
  }
  const traces = ids.map((id) => viewer.store.get(id)).filter((trace) => trace !== undefined);
  if (traces.length === 0) throw new ClewError('ERR_OPTION', 'There are no traces to export.');
  return { viewer, traces };
}
