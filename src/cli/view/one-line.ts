import { cutMiddle } from '../../base/cut-middle.ts';
import { plainText } from '../../base/plain-text.ts';
import type { RequestList, RequestRow } from '../../viewer/model.ts';

const BAR = 12;

/** A terminal with fewer columns gets two lines for a request. */
const MIN_TABLE = 72;
const ID_DIGITS = 8;

/** A request as the texts of its columns. */
interface Cells {
  id: string;
  name: string;
  path: string;
  bar: string;
  duration: string;
  spans: string;
  status: string;
}

/** Requests as a table for a terminal of so many columns: name, parts as a bar, duration, status. */
export function renderRequests(list: RequestList, width: number): string[] {
  const { requests, total, outside } = list;
  const longest = Math.max(...requests.map(({ durationMs }) => durationMs), 0.001);
  const rows = requests.map((row) => cellsOf(row, longest));
  const lines = width < MIN_TABLE ? rows.flatMap((row) => pair(row, width)) : table(rows, width);
  if (total > requests.length) lines.push(`… and ${total - requests.length} more (--limit)`);
  if (outside) lines.push(`… and ${outside} outside of any request (--outside)`);
  if (total === 0) lines.push('no traces');
  return lines.map((line) => cutMiddle(line.trimEnd(), width));
}

function cellsOf(row: RequestRow, longest: number): Cells {
  const { traceId, name, path, durationMs, error, statusCode, spans } = row;
  return {
    id: traceId.slice(0, ID_DIGITS),
    name: plainText(name),
    path: path === undefined ? '' : plainText(path),
    bar: partsBar(row, longest),
    duration: `${durationMs.toFixed(1)} ms`,
    spans: `${spans} ${spans === 1 ? 'span' : 'spans'}`,
    status: `${error ? 'ERROR' : 'ok'} ${plainText(statusCode ?? '', 20)}`.trimEnd(),
  };
}

function table(rows: readonly Cells[], width: number): string[] {
  const columns = (key: keyof Cells): number => Math.max(0, ...rows.map((row) => row[key].length));
  const [durations, counts, statuses] = [columns('duration'), columns('spans'), columns('status')];
  const room = width - ID_DIGITS - BAR - durations - counts - statuses - 9;
  return rows.map(({ id, name, path, bar, duration, spans, status }) =>
    [
      `${id}  ${nameIn(name, path, room).padEnd(room)} ${bar}`,
      duration.padStart(durations),
      spans.padStart(counts),
      status,
    ].join('  '),
  );
}

function pair({ id, name, path, bar, duration, status }: Cells, width: number): string[] {
  const below = `  ${id}  ${duration}  ${status}`;
  const shown = bar.trimEnd();
  const hasRoom = below.length + 1 + shown.length <= width;
  return [nameIn(name, path, width), hasRoom ? `${below} ${shown}` : below];
}

/** The path stands beside the name where there is room for all of it. */
function nameIn(name: string, path: string, room: number): string {
  const both = path === '' ? name : `${name}  ${path}`;
  return both.length <= room ? both : cutMiddle(name, room);
}

/** The request's length, by its parts: `█` running, `·` waiting for I/O, `▒` for the loop. */
function partsBar({ durationMs, parts }: RequestRow, longest: number): string {
  const columns = Math.max(1, Math.round((durationMs / longest) * BAR));
  if (!parts) return '━'.repeat(columns).padEnd(BAR);
  const share = (ms: number): number => Math.round((ms / (durationMs || 1)) * columns);
  const run = Math.min(share(parts.runningMs), columns);
  const loop = Math.min(share(parts.loopMs), columns - run);
  const io = columns - run - loop;
  return `${'█'.repeat(run)}${'·'.repeat(io)}${'▒'.repeat(loop)}`.padEnd(BAR);
}
