import { styleText } from 'node:util';

import { plainText } from '../base/plain-text.ts';
import { attributeOf, durationOf, hasFailed, type OtlpSpan } from './otlp.ts';
import type { Trace } from './trace.ts';

export interface TraceTreeOptions {
  /** Columns of the terminal; a line is never longer. */
  width: number;
  color: boolean;
}

/** A trace as lines for a terminal: a tree of names, with durations and status to the right. */
export function renderTrace(trace: Trace, options: TraceTreeOptions): string[] {
  const lines: string[] = [];
  const tops = [...trace.roots, ...trace.orphans];
  for (const span of tops) {
    lines.push(renderSpan(span, '', options));
    renderChildren(trace, span, '', options, lines);
  }
  return lines;
}

function renderChildren(
  trace: Trace,
  parent: OtlpSpan,
  indent: string,
  options: TraceTreeOptions,
  lines: string[],
): void {
  const children = trace.childrenOf(parent);
  children.forEach((child, index) => {
    const last = index === children.length - 1;
    lines.push(renderSpan(child, `${indent}${last ? '└─ ' : '├─ '}`, options));
    renderChildren(trace, child, `${indent}${last ? '   ' : '│  '}`, options, lines);
  });
}

function renderSpan(span: OtlpSpan, prefix: string, { width, color }: TraceTreeOptions): string {
  const duration = `${durationOf(span).toFixed(1)} ms`.padStart(10);
  const status = statusOf(span).padEnd(12).slice(0, 12);
  const room = width - duration.length - status.length - 2;
  const label = fit(prefix + labelOf(span), room);
  if (!color) return `${label}${duration}  ${status}`.trimEnd();
  const paint = hasFailed(span) ? 'red' : 'green';
  return `${label}${styleText('dim', duration)}  ${styleText(paint, status.trimEnd())}`;
}

/** A request is shown with its path: its span's name holds only what is low in cardinality. */
function labelOf(span: OtlpSpan): string {
  const path = attributeOf(span, 'url.path') ?? attributeOf(span, 'http.target');
  return plainText(path && !span.name.includes(path) ? `${span.name} ${path}` : span.name);
}

function statusOf(span: OtlpSpan): string {
  const code =
    attributeOf(span, 'db.response.status_code') ??
    attributeOf(span, 'http.response.status_code') ??
    attributeOf(span, 'http.status_code');
  const word = hasFailed(span) ? 'ERROR' : 'ok';
  return code ? `${word} ${plainText(code)}` : word;
}

function fit(text: string, width: number): string {
  return text.length > width ? `${text.slice(0, width - 1)}…` : text.padEnd(width);
}
