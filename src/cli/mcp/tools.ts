import { ClewError, optionError } from '../../base/errors.ts';
import { boundedSpan } from '../../viewer/bounded-span.ts';
import type { TraceView, TypicalOperation } from '../../viewer/trace-model.ts';
import { boundedRow, outlineOf, rounded, shortened } from '../../viewer/outline.ts';
import type { TraceSource } from '../../viewer/viewer.ts';
import { fullTraceId } from '../view/load.ts';
import { boundedList } from '../view/show.ts';
import type { InputSchema, InputsSchema } from './check-input.ts';

/*
 * The questions that a program may ask about traces, each answered in at most 8 KB of JSON. Texts of
 * spans stand in JSON strings of a bounded length and nowhere else.
 */

export interface Tool {
  name: string;
  description: string;
  inputSchema: InputsSchema;
  call(source: TraceSource, input: Record<string, unknown>): Promise<object>;
}

const MAX_BYTES = 8000;
const TRACE: InputSchema = {
  type: 'string',
  description: 'The trace id, or its first digits, as returned by list_requests.',
};

/** A call with other inputs is refused (`check-input.ts`). */
function inputs(
  properties: Record<string, InputSchema>,
  required: string[] = Object.keys(properties),
): InputsSchema {
  return { type: 'object', properties, required, additionalProperties: false };
}

export const TOOLS: readonly Tool[] = [
  {
    name: 'list_requests',
    description:
      'Lists traced requests with their duration and its three parts: running JavaScript, waiting ' +
      'for I/O, and waiting while others held the event loop (and who). Begin here.',
    inputSchema: inputs(
      {
        show: {
          enum: ['slowest', 'failed', 'newest'],
          description: 'Which, and in which order. Default: slowest.',
        },
        search: { type: 'string', description: 'Text in names, services, attributes or events.' },
        limit: { type: 'integer', minimum: 1, maximum: 50, description: 'How many. Default: 10.' },
      },
      [],
    ),
    async call(source, { show = 'slowest', search, limit = 10 }) {
      const query = new URLSearchParams({ limit: String(limit) });
      if (show === 'slowest') query.set('sort', 'slowest');
      if (show === 'failed') query.set('error', 'true');
      if (typeof search === 'string') query.set('q', search);
      query.set('outside', 'false');
      return boundedList(await source.requests(query));
    },
  },
  {
    name: 'why_slow',
    description:
      'Explains where one request spent its time: its parts, who held the event loop, its shape ' +
      '(spans grouped by name), and what took longer than in the typical request of its name.',
    inputSchema: inputs({ trace: TRACE }),
    async call(source, { trace }) {
      const view = await traceOf(source, trace);
      const { typical } = view;
      const against = typical && {
        requests: typical.requests,
        durationMs: rounded(typical.durationMs),
        ...(typical.parts ? { parts: typical.parts } : {}),
        lostMost: typical.operations
          .filter(({ lostMs }) => lostMs > 0)
          .slice(0, 8)
          .map(difference),
      };
      const outline = outlineOf(view, MAX_BYTES - 2500);
      const next = 'Ask for one span by its id: show_span.';
      return { ...outline, kind: 'why_slow', next, ...(against ? { typical: against } : {}) };
    },
  },
  {
    name: 'what_it_waited_for',
    description:
      'Lists what one request waited for, the longest first: operations on its critical path, and ' +
      'stretches in which it was ready but others held the event loop, with their names.',
    inputSchema: inputs({ trace: TRACE }),
    async call(source, { trace }) {
      const view = await traceOf(source, trace);
      const { request, threads } = view;
      const operations = view.spans
        .map((span) => ({
          span: span.id,
          name: shortened(span.name),
          kind: span.kind,
          criticalMs: rounded(span.critical.reduce((sum, [a, b]) => sum + b - a, 0) / 1e3),
          ...(span.parts ? { parts: span.parts } : {}),
        }))
        .filter(({ criticalMs }) => criticalMs > 0)
        .sort((a, b) => b.criticalMs - a.criticalMs);
      const gaps = threads.threads
        .flatMap(({ name, gaps: own }) =>
          own.map(({ start, end, blocker, estimated }) => ({
            of: shortened(name),
            ms: rounded((end - start) / 1e3),
            estimated,
            ...(blocker ? { heldBy: { ...blocker, name: shortened(blocker.name) } } : {}),
          })),
        )
        .sort((a, b) => b.ms - a.ms);
      return {
        kind: 'what_it_waited_for',
        request: boundedRow(request),
        criticalPath: operations.slice(0, 12),
        waitsForTheLoop: gaps.slice(0, 10),
      };
    },
  },
  {
    name: 'lost_parents',
    description:
      'Lists where spans lost their parent: the line of the application, what kept the callback, ' +
      'the spans concerned, and the change or rule that repairs it.',
    inputSchema: inputs({}),
    async call(source) {
      const { findings } = await source.findings();
      const { requests } = await source.requests(new URLSearchParams({ limit: '1000' }));
      const incomplete = requests.filter((row) => row.incomplete).map((row) => row.traceId);
      const shown = findings.slice(0, 6).map((finding) => ({
        name: finding.name,
        kind: finding.kind,
        summary: shortened(finding.summary, 200),
        count: finding.count,
        ...(finding.owner ? { request: shortened(finding.owner) } : {}),
        ...(finding.place ? { line: placeText(finding.place) } : {}),
        ...(finding.handOver ? { keptBy: placeText(finding.handOver) } : {}),
        ...(finding.fix ? { fix: cutAll(finding.fix) } : {}),
        ...(finding.docs ? { docs: shortened(finding.docs) } : {}),
        spans: finding.spans.slice(0, 3).map((span) => ({ ...span, name: shortened(span.name) })),
      }));
      return {
        kind: 'lost_parents',
        findings: shown,
        omitted: findings.length - shown.length,
        tracesWithMissingParents: incomplete.slice(0, 10),
        next: 'For the line and its repair, run the application under `clew doctor`.',
      };
    },
  },
  {
    name: 'compare_requests',
    description:
      'Compares two requests: their durations, parts, and the operations in which they differ most.',
    inputSchema: inputs({ a: TRACE, b: TRACE }),
    async call(source, { a, b }) {
      const [first, second] = [await traceOf(source, a), await traceOf(source, b)];
      return {
        kind: 'compare_requests',
        a: boundedRow(first.request),
        b: boundedRow(second.request),
        differences: differencesOf(first, second),
      };
    },
  },
  {
    name: 'show_span',
    description: 'Shows one span with its attributes, events and links. Ids are in other answers.',
    inputSchema: inputs({
      trace: TRACE,
      span: { type: 'string', description: 'The span id.' },
    }),
    async call(source, { trace, span: id }) {
      const view = await traceOf(source, trace);
      const span = view.spans.find((one) => one.id === id);
      if (!span) {
        const expected = 'the id of a span of this trace, of which other answers have some';
        throw optionError('span', expected, id);
      }
      const resource = view.resources[span.resource]?.attributes ?? [];
      return { kind: 'show_span', span: boundedSpan(span, resource, MAX_BYTES - 100) };
    },
  },
];

async function traceOf(source: TraceSource, id: unknown): Promise<TraceView> {
  const traceId = await fullTraceId(source, typeof id === 'string' ? id : '', 'trace');
  const view = await source.trace(traceId);
  if (view) return view;
  throw new ClewError('ERR_OPTION', `The trace ${traceId} is not there, or no more.`);
}

/** Own times by operation, the greatest difference first; positive: `b` took longer. */
function differencesOf(a: TraceView, b: TraceView): object[] {
  const [first, second] = [sums(a), sums(b)];
  return [...new Set([...first.keys(), ...second.keys()])]
    .map((key) => {
      const [name, kind] = JSON.parse(key) as [string, string];
      const none = { count: 0, criticalMs: 0, totalMs: 0 };
      const [mine, theirs] = [first.get(key) ?? none, second.get(key) ?? none];
      const moreMs = rounded(theirs.totalMs - mine.totalMs);
      return { name: shortened(name), kind, a: mine, b: theirs, moreMs };
    })
    .sort((x, y) => Math.abs(y.moreMs) - Math.abs(x.moreMs))
    .slice(0, 15);
}

function sums(
  view: TraceView,
): Map<string, { count: number; criticalMs: number; totalMs: number }> {
  const found = new Map<string, { count: number; criticalMs: number; totalMs: number }>();
  for (const { name, kind, start, end, critical } of view.spans) {
    const key = JSON.stringify([name, kind]);
    const sum = found.get(key) ?? { count: 0, criticalMs: 0, totalMs: 0 };
    const onPath = critical.reduce((total, [from, to]) => total + to - from, 0) / 1e3;
    found.set(key, {
      count: sum.count + 1,
      criticalMs: rounded(sum.criticalMs + onPath),
      totalMs: rounded(sum.totalMs + (end - start) / 1e3),
    });
  }
  return found;
}

function difference({ name, kind, here, typical, lostMs }: TypicalOperation): object {
  return {
    name: shortened(name),
    kind,
    lostMs: rounded(lostMs),
    here: { count: here.count, selfMs: rounded(here.selfMs) },
    typical: { count: typical.count, selfMs: rounded(typical.selfMs) },
  };
}

function placeText({ file, line, code }: { file: string; line: number; code?: string }): string {
  return shortened(`${file}:${line}${code === undefined ? '' : `  ${code}`}`, 300);
}

function cutAll(texts: Record<string, string | undefined>): Record<string, string> {
  const entries = Object.entries(texts).filter(([, text]) => text !== undefined);
  return Object.fromEntries(entries.map(([key, text]) => [key, shortened(text ?? '', 500)]));
}
