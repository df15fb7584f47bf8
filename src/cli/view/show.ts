import { existsSync } from 'node:fs';

import { columnsOf } from '../../base/columns.ts';
import { ClewError } from '../../base/errors.ts';
import { plainText } from '../../base/plain-text.ts';
import { partsText } from '../../tracer/request-line.ts';
import type { RequestList, RequestRow } from '../../viewer/model.ts';
import type { TraceView } from '../../viewer/trace-model.ts';
import { boundedRow, outlineOf } from '../../viewer/outline.ts';
import { boundedSpan } from '../../viewer/bounded-span.ts';
import { renderTrace } from '../../viewer/trace-tree.ts';
import { Viewer, type TraceSource } from '../../viewer/viewer.ts';
import { parseWithNames } from '../arguments.ts';
import { MAX_JSON, printJson, SCHEMA } from '../output.ts';
import { describeFinding } from './findings.ts';
import { fullTraceId, limitOf, RemoteViewer, sourceOf } from './load.ts';
import { renderRequests } from './one-line.ts';
import { isReportFile } from './read-file.ts';
import { foldTo, spanText } from './span-text.ts';

const USAGE = `Usage: clew show [options] [file...] [TRACE]

Shows traces in the terminal: the list of requests, or one trace as a tree with
bars. They are read from files (.clew recordings, OTLP/JSON, Jaeger's JSON),
or else from a running viewer (\`clew view --live\`).

Options
  --trace TRACE   this trace; the first digits of its id are enough
  --span ID       one span of it, with all its details
  --ids           the first digits of each span's id, for --span
  --search TEXT   only requests with this text in them
  --failed        only requests that failed
  --slowest       the slowest first, instead of the newest
  --outside       operations outside of any request, too
  --limit N       requests to list, 1 to 1000; default 20
  --all           every span of a long trace, not the first 200
  --from URL      the viewer's address; default: the one started in this folder,
                  or else the one at port 16686 or 4318
  --json          print JSON (clew.output.schema.json), at most 8 KB: the shape
                  of a trace first; ask for spans by --span
  --no-color      no colours (also: NO_COLOR)
  --help          show this`;

const OPTIONS = {
  trace: { type: 'string' },
  span: { type: 'string' },
  ids: { type: 'boolean' },
  search: { type: 'string' },
  failed: { type: 'boolean' },
  slowest: { type: 'boolean' },
  outside: { type: 'boolean' },
  limit: { type: 'string' },
  all: { type: 'boolean' },
  from: { type: 'string' },
  json: { type: 'boolean' },
  'no-color': { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
} as const;

type Values = ReturnType<typeof parseWithNames<typeof OPTIONS>>['values'];

const MAX_LINES = 200;

/** Shows the list of requests, a trace, or a span. */
export async function show(args: string[]): Promise<number> {
  const { values, names } = parseWithNames(args, OPTIONS, 20);
  if (values.help) {
    console.log(USAGE);
    return 0;
  }
  // `| head` closes the pipe early, which is no failure.
  if (process.stdout.listenerCount('error') === 0)
    process.stdout.once('error', () => process.exit());
  // A name that is no file may be a trace.
  const last = names.at(-1) ?? '';
  const isId = /^[0-9a-f]{4,32}$/i.test(last) && !existsSync(last);
  const files = isId ? names.slice(0, -1) : names;
  const limit = limitOf(values.limit ?? '20');
  const source = await sourceOf(files, values.from);
  const asked = values.trace ?? (isId ? last : undefined);
  const { traces } = await source.summary();
  if (asked === undefined && values.span === undefined && !(traces === 1 && files.length > 0)) {
    const reports = traces === 0 && !values.json ? files.filter(isReportFile) : [];
    if (reports.length === 0) await showList(source, limit, values);
    for (const file of reports) {
      const hint = `what it found: clew view ${file}`;
      console.log(plainText(`${file} is a report of clew doctor, without traces; ${hint}`));
    }
    return 0;
  }
  const traceId = asked === undefined ? await onlyTrace(source) : await fullTraceId(source, asked);
  const trace = await source.trace(traceId);
  if (!trace) throw new ClewError('ERR_OPTION', `The trace ${traceId} is not there.`);
  if (values.span !== undefined) showSpan(trace, values.span, values);
  else if (values.json) console.log(JSON.stringify(outlineOf(trace, MAX_JSON)));
  else await showTrace(source, trace, values);
  return 0;
}

async function onlyTrace(source: TraceSource): Promise<string> {
  const { requests, total } = await source.requests(new URLSearchParams({ limit: '1' }));
  const [only] = requests;
  if (only && total === 1) return only.traceId;
  throw new ClewError('ERR_OPTION', `There are ${total} traces: name one by --trace.`);
}

async function showList(source: TraceSource, limit: string, values: Values): Promise<void> {
  const query = new URLSearchParams({ limit });
  if (values.search !== undefined) query.set('q', values.search);
  if (values.failed) query.set('error', 'true');
  if (values.slowest) query.set('sort', 'slowest');
  if (!values.outside) query.set('outside', 'false');
  const list = await source.requests(query);
  if (!values.json) {
    for (const line of renderRequests(list, columnsOf(process.stdout))) console.log(line);
    return;
  }
  console.log(JSON.stringify(boundedList(list)));
}

/** As many rows as fit. */
export function boundedList({ requests, total, outside }: RequestList): object {
  const shown: RequestRow[] = [];
  let room = MAX_JSON - 150;
  for (const row of requests.map(boundedRow)) {
    room -= JSON.stringify(row).length + 1;
    if (room < 0) break;
    shown.push(row);
  }
  return {
    $schema: SCHEMA,
    kind: 'requests',
    requests: shown,
    total,
    ...(outside ? { outside } : {}),
  };
}

function showSpan(trace: TraceView, id: string, { json }: Values): void {
  const span = trace.spans.find((one) => one.id.startsWith(id.toLowerCase()));
  if (!span) {
    throw new ClewError('ERR_OPTION', `There is no span \`${plainText(id, 40)}\` in this trace.`);
  }
  const resource = trace.resources[span.resource]?.attributes ?? [];
  if (json) {
    const bounded = boundedSpan(span, resource, MAX_JSON - 120);
    const { traceId } = trace;
    printJson('span', { traceId, span: bounded });
    return;
  }
  for (const line of spanText(span, columnsOf(process.stdout))) console.log(line);
}

async function showTrace(source: TraceSource, view: TraceView, values: Values): Promise<void> {
  const viewer = source instanceof Viewer ? source : await copyOf(source, view.traceId);
  const trace = viewer.store.get(view.traceId);
  if (!trace) throw new ClewError('ERR_OPTION', `The trace ${view.traceId} is not there.`);
  const color = process.stdout.isTTY && !process.env['NO_COLOR'] && !values['no-color'];
  const { ids = false } = values;
  const maxLines = values.all ? Infinity : MAX_LINES;
  const width = columnsOf(process.stdout);
  const options = { width, color, bars: true, ids, maxLines };
  for (const line of renderTrace(trace, options)) console.log(line);
  const print = (text: string): void => {
    for (const line of foldTo(width, text, ' '.repeat(9))) console.log(line);
  };
  const { request, findings, warnings } = view;
  const { parts, blockedBy } = request;
  if (parts) print(`parts    ${partsText(parts, blockedBy)} ms`);
  const all = [...warnings, ...view.spans.flatMap((span) => span.warnings)];
  for (const warning of all.slice(0, 10)) print(`warning  ${warning}`);
  if (all.length > 10) console.log(`and ${all.length - 10} more warnings`);
  for (const { name, summary, place } of findings) {
    const at = place ? ` at ${place.file}:${place.line}` : '';
    print(`finding  ${name}: ${summary}${at}`);
  }
  if (!ids) console.log('for one span: --span ID; --ids shows the ids');
}

async function copyOf(source: TraceSource, traceId: string): Promise<Viewer> {
  const { version } = await source.summary();
  const viewer = new Viewer({ source: { kind: 'live', name: '' }, version, describeFinding });
  if (source instanceof RemoteViewer) await source.copyTo(viewer, [traceId]);
  return viewer;
}
