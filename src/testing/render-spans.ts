import { groupSpans, isQuery, queryText, type TestSpan } from './test-span.ts';

const MAX_LINES = 100;

/** Formats spans as a tree of lines: name, duration, state, and the line of the application. */
export function renderSpans(spans: readonly TestSpan[]): string {
  if (spans.length === 0) return 'no spans';
  const ids = new Set(spans.map(({ spanId }) => spanId));
  const children = groupSpans(spans, ({ parentSpanId }) =>
    parentSpanId !== undefined && ids.has(parentSpanId) ? parentSpanId : undefined,
  );
  const lines: string[] = [];
  const walk = (parent: string | undefined, indent: string): void => {
    const group = children.get(parent) ?? [];
    for (const [index, span] of group.entries()) {
      const isTop = parent === undefined;
      const isLast = index === group.length - 1;
      lines.push(`${indent}${isTop ? '' : isLast ? '└─ ' : '├─ '}${describe(span, ids)}`);
      walk(span.spanId, isTop ? indent : `${indent}${isLast ? '   ' : '│  '}`);
    }
  };
  walk(undefined, '');
  const more = lines.length - MAX_LINES;
  if (more > 0) lines.splice(MAX_LINES, more, `... and ${more} more spans`);
  return lines.join('\n');
}

function describe(span: TestSpan, ids: ReadonlySet<string>): string {
  const { name, duration, parentSpanId, hasRemoteParent, status, statusMessage, line } = span;
  const isOrphan = parentSpanId !== undefined && !hasRemoteParent && !ids.has(parentSpanId);
  const query = isQuery(span) && queryText(span) !== name ? `: ${shorten(queryText(span))}` : '';
  const parts = [
    `${name}${query}`,
    duration === undefined ? 'not ended' : `${duration.toFixed(1)} ms`,
    status === 'error' ? `ERROR${statusMessage === undefined ? '' : `: ${statusMessage}`}` : '',
    isOrphan ? 'its parent is missing' : '',
    line === undefined ? '' : `at ${line}`,
  ];
  return parts.filter((part) => part !== '').join('  ');
}

function shorten(text: string): string {
  const line = text.replaceAll(/\s+/g, ' ');
  return line.length > 60 ? `${line.slice(0, 59)}…` : line;
}
