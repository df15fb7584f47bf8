import { plainText } from '../../base/plain-text.ts';
import type { SpanView } from '../../viewer/trace-model.ts';

/**
 * Everything of a span for a terminal of so many columns. Names are one line each; a value, such as a
 * stack, keeps its lines.
 */
export function spanText(span: SpanView, width: number): string[] {
  return linesOf(span).flatMap((text) => {
    const [indent = ''] = /^ {0,4}/.exec(text) ?? [];
    const [first = '', ...rest] = text.split(/\r?\n/);
    const below = rest.map((line) => `${indent}  ${line.trim()}`);
    return [first, ...below].flatMap((line) => foldTo(width, line, `${indent}    `));
  });
}

function linesOf(span: SpanView): string[] {
  const ms = (micros: number): string => `${(micros / 1e3).toFixed(3)} ms`;
  const { status, parts, blockedBy } = span;
  return [
    `${plainText(span.name)}  ${span.kind} of ${plainText(span.service)}`,
    `  span      ${span.id}${span.parentId === undefined ? '' : `, below ${span.parentId}`}`,
    `  time      from ${ms(span.start)}, ${ms(span.end - span.start)} long`,
    `  status    ${status.code}${status.message === undefined ? '' : `: ${status.message}`}`,
    ...(parts
      ? [`  parts     running ${parts.runningMs}, I/O ${parts.ioMs}, loop ${parts.loopMs} ms`]
      : []),
    ...(blockedBy ? [`  held by   ${plainText(blockedBy.name)} ${blockedBy.ms} ms`] : []),
    ...span.warnings.map((warning) => `  warning   ${plainText(warning)}`),
    ...span.attributes.map(([key, value]) => `  ${plainText(key)} = ${textOf(value)}`),
    ...span.links.map(
      ({ traceId, spanId, relation }) =>
        `  link      ${traceId} ${spanId}${relation === undefined ? '' : ` ${plainText(relation)}`}`,
    ),
    ...span.events.flatMap(({ name, at, attributes }) => [
      `  event     ${plainText(name)} at ${ms(at)}`,
      ...attributes.map(([key, value]) => `    ${plainText(key)} = ${textOf(value)}`),
    ]),
  ];
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** Breaks text of others between words, and within one that is longer than a line. */
export function foldTo(width: number, line: string, indent: string): string[] {
  const lines: string[] = [];
  let rest = plainText(line, 20_000).trimEnd();
  while (rest.length > width) {
    // Not within what the line begins with.
    const start = rest.length - rest.trimStart().length;
    const blank = rest.lastIndexOf(' ', width);
    const word = rest.slice(blank + 1).split(' ', 1)[0] ?? '';
    const at = blank > start && indent.length + word.length <= width ? blank : width;
    lines.push(rest.slice(0, at).trimEnd());
    rest = indent + rest.slice(at).trimStart();
  }
  return [...lines, rest];
}
