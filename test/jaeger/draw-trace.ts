/** A trace as Jaeger's trace page asks for it: `GET /api/traces/{id}`. */
export interface ShownTrace {
  traceID: string;
  spans: ShownSpan[];
}

export interface ShownSpan {
  spanID: string;
  operationName: string;
  /** Microseconds. */
  startTime: number;
  duration: number;
  references: { refType: string; spanID: string }[];
  tags: { key: string; value: unknown }[];
  warnings: string[] | null;
}

const WIDTH = 960;
const LABELS = 470;
const ROW = 22;
const TOP = 44;
const COLOURS = { request: '#5b7fbd', query: '#4d9a76', resource: '#c58b3b' };

/** The trace as an SVG picture: a line per span under its parent, and how many warnings there are. */
export function drawTrace({ traceID, spans }: ShownTrace, source: string): string {
  const rows = inOrder(spans);
  const start = Math.min(...spans.map((span) => span.startTime));
  const length = Math.max(...spans.map((span) => span.startTime + span.duration)) - start;
  const scale = (WIDTH - LABELS - 80) / length;
  const warnings = spans.reduce((sum, span) => sum + (span.warnings?.length ?? 0), 0);
  const height = TOP + rows.length * ROW + 12;
  const lines = rows.map(({ span, depth }, i) => {
    const y = TOP + i * ROW;
    const x = LABELS + (span.startTime - start) * scale;
    const width = Math.max(1.5, span.duration * scale);
    const described = tagOf(span, 'clew.async_resource.description');
    const label = described ? `${span.operationName}: ${described}` : span.operationName;
    return [
      `<text x="${12 + depth * 18}" y="${y + 15}">${escaped(shortened(label, 66 - depth * 3))}</text>`,
      `<rect x="${x.toFixed(1)}" y="${y + 4}" width="${width.toFixed(1)}" height="14" rx="2" fill="${colourOf(span)}"/>`,
      `<text x="${(x + width + 5).toFixed(1)}" y="${y + 15}" fill="#666">${(span.duration / 1e3).toFixed(2)} ms</text>`,
    ].join('\n');
  });
  const title = `${source} · trace ${traceID.slice(0, 8)} · ${spans.length} spans · ${warnings} warnings`;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" font-family="ui-monospace, Menlo, Consolas, monospace" font-size="11">
<rect width="${WIDTH}" height="${height}" fill="#fff"/>
<text x="12" y="24" font-size="13" fill="#333">${escaped(title)}</text>
<line x1="0" y1="35" x2="${WIDTH}" y2="35" stroke="#ddd"/>
${lines.join('\n')}
</svg>
`;
}

/** Every span below its parent, and siblings by their start. */
function inOrder(spans: ShownSpan[]): { span: ShownSpan; depth: number }[] {
  const rows: { span: ShownSpan; depth: number }[] = [];
  const visit = (parentId: string | undefined, depth: number): void => {
    const children = spans.filter((span) => parentOf(span) === parentId);
    for (const span of children.toSorted((a, b) => a.startTime - b.startTime)) {
      rows.push({ span, depth });
      visit(span.spanID, depth + 1);
    }
  };
  visit(undefined, 0);
  return rows;
}

function parentOf({ references }: ShownSpan): string | undefined {
  return references.find(({ refType }) => refType === 'CHILD_OF')?.spanID;
}

function tagOf({ tags }: ShownSpan, name: string): string | undefined {
  const value = tags.find(({ key }) => key === name)?.value;
  return typeof value === 'string' ? value : undefined;
}

function colourOf(span: ShownSpan): string {
  if (tagOf(span, 'db.system.name') !== undefined) return COLOURS.query;
  return parentOf(span) === undefined ? COLOURS.request : COLOURS.resource;
}

function shortened(text: string, length: number): string {
  return text.length > length ? `${text.slice(0, length - 1)}…` : text;
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
