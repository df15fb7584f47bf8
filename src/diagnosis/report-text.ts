import { relative } from 'node:path';

import type { Certainty, Finding, Place, Report } from './finding.ts';

/** How a report is laid out. */
export interface TextOptions {
  /** Columns of the terminal; default 80. */
  width?: number;
  colour?: boolean;
  /** Show what is only possible in full, too. */
  strict?: boolean;
  /** What paths are shown relative to; default: the working directory. */
  folder?: string;
}

const LABEL = 16;
/** Findings in full: whoever has more begins with these. */
const MAX_SHOWN = 20;
const STYLES = { bold: '1', red: '31', green: '32', yellow: '33', cyan: '36', dim: '2' } as const;
type Style = keyof typeof STYLES;
const COLOURS: Record<Certainty, Style> = { proven: 'red', likely: 'yellow', possible: 'dim' };

/** The report for a person: the first finding should be understood in ten seconds. */
export function reportText(report: Report, options: TextOptions = {}): string {
  return new Writer(options).report(report);
}

class Writer {
  readonly #width: number;
  readonly #colour: boolean;
  readonly #strict: boolean;
  readonly #folder: string;
  readonly #lines: string[] = [];

  constructor({ width = 80, colour = false, strict = false, folder }: TextOptions) {
    this.#width = Math.max(40, width);
    this.#colour = colour;
    this.#strict = strict;
    this.#folder = folder ?? process.cwd();
  }

  report(report: Report): string {
    const { requests, spans, millis, findings, dropped } = report;
    const seen = `${counted(requests, 'request')} · ${counted(spans, 'span')} · ${seconds(millis)}`;
    this.#line(`${this.#paint('clew doctor', 'bold')}    ${seen}`);
    const broken = findings.filter((finding) => !finding.note);
    const sure = broken.filter(({ certainty }) => this.#strict || certainty !== 'possible');
    const possible = broken.filter((finding) => !sure.includes(finding));
    this.#line(this.#verdict(sure, report));
    for (const finding of sure.slice(0, MAX_SHOWN)) this.#finding(finding);
    if (sure.length > MAX_SHOWN) {
      this.#line('', `and ${sure.length - MAX_SHOWN} more causes in --json`);
    }
    this.#short('not sure, and not counted (--strict shows and counts them):', possible);
    this.#short(
      'not broken, but know:',
      findings.filter(({ note }) => note),
    );
    if (dropped > 0)
      this.#line('', `${dropped} more observations came too fast or were too many to be looked at`);
    return `${this.#lines.join('\n')}\n`;
  }

  #verdict(sure: readonly Finding[], { requests, spans }: Report): string {
    if (sure.length > 0) {
      const spansOf = sure.reduce((sum, { brokenSpans }) => sum + brokenSpans, 0);
      const what =
        spansOf > 0
          ? ` ${sure.length === 1 ? 'explains' : 'explain'} ${spansOf} broken ${plural(spansOf, 'span')}`
          : '';
      return `${sure.length} ${plural(sure.length, 'cause')}${what}`;
    }
    if (requests + spans === 0)
      return 'nothing was seen: no request and no span. Was there traffic?';
    return this.#paint('no context was lost', 'green');
  }

  #finding(finding: Finding): void {
    const { number, summary, certainty, yourLine, resource, handOver, owner, fix } = finding;
    const head = `${String(number).padEnd(3)}${summary}`;
    const sure = this.#paint(certainty, COLOURS[certainty]);
    this.#line('');
    const lines = wrapped(head, this.#width - certainty.length - 2, '   ');
    const first = lines.shift() ?? '';
    const gap = ' '.repeat(Math.max(1, this.#width - first.length - certainty.length));
    this.#line(this.#paint(first, 'bold') + gap + sure);
    for (const line of lines) this.#line(this.#paint(line, 'bold'));
    if (yourLine) this.#entry('your code', this.#place(yourLine), yourLine.code);
    if (resource) this.#entry('ran inside', this.#resource(resource));
    if (handOver) {
      const what = handOver.by === 'application' ? 'your code kept or emitted it' : undefined;
      this.#entry('handed over', this.#place(handOver), what);
    }
    if (owner) {
      this.#entry(
        'belongs to',
        `${owner.label} (${owner.count} of ${finding.count}): ${owner.evidence}`,
      );
    }
    this.#fix(fix);
    this.#entry('more', `${finding.name}  ${finding.docs}`, undefined, 'dim');
  }

  #fix({ rules, change, command }: Finding['fix']): void {
    let label = 'fix';
    const [rule] = rules;
    if (rule) {
      const kind = typeof rule.rule === 'string' ? rule.rule : rule.rule.kind;
      this.#entry(label, `rule ${rule.module} ${rule.path}: ${kind}`, command, 'cyan');
      label = 'or';
    }
    if (change) {
      const where = change.file ? `${this.#path(change.file)}:${change.line}: ` : '';
      this.#entry(label, where + change.text);
    }
  }

  #resource(resource: NonNullable<Finding['resource']>): string {
    const { type, asyncId, born, bornIn, bornInAnother, repeating } = resource;
    const what = `${type} #${asyncId}${repeating ? ' (repeats)' : ''}`;
    const where = born ? `, created at ${this.#place(born)}` : '';
    if (!bornIn) return `${what}${where}: no request owns it`;
    // An incoming message is not created in a request: it is one.
    const inside = type === 'HTTPINCOMINGMESSAGE' || !born ? ' of' : ' in';
    return `${what}${where}${inside} ${bornInAnother ? 'another ' : ''}${bornIn}`;
  }

  #short(title: string, findings: readonly Finding[]): void {
    if (findings.length === 0) return;
    this.#line('', title);
    for (const { number, name, summary, yourLine } of findings.slice(0, 10)) {
      const where = yourLine ? ` (${this.#place(yourLine)})` : '';
      this.#wrap(`${String(number).padEnd(3)}${name} ${summary}${where}`, '   ', 'dim');
    }
    if (findings.length > 10) this.#line(`   and ${findings.length - 10} more in --json`);
  }

  #place({ file, line }: Place): string {
    return `${this.#path(file)}:${line}`;
  }

  /** Relative where that is shorter; a package by its name, wherever it is installed. */
  #path(file: string): string {
    const inside = file.lastIndexOf('/node_modules/');
    if (inside !== -1) return file.slice(inside + '/node_modules/'.length);
    const path = relative(this.#folder, file);
    return file.startsWith('node:') || path.startsWith('..') ? file : path;
  }

  #entry(label: string, text: string, extra?: string, style?: Style): void {
    const lead = `   ${label.padEnd(LABEL - 3)}`;
    const joined = extra ? `${text}   ${extra}` : text;
    const room = this.#width - LABEL;
    const lines =
      joined.length <= room
        ? [joined]
        : [...fold(text, room), ...(extra ? [cut(extra, room)] : [])];
    lines.forEach((line, index) => {
      const start = index === 0 ? lead : ' '.repeat(LABEL);
      this.#line(start + (style ? this.#paint(line, style) : line));
    });
  }

  #wrap(text: string, indent: string, style?: Style): void {
    for (const line of wrapped(text, this.#width, indent)) {
      this.#line(style ? this.#paint(line, style) : line);
    }
  }

  #paint(text: string, style: Style): string {
    return this.#colour ? `\u001b[${STYLES[style]}m${text}\u001b[0m` : text;
  }

  #line(...lines: string[]): void {
    this.#lines.push(...lines);
  }
}

/** A line of source is for recognition: its beginning will do. */
const cut = (text: string, width: number): string =>
  text.length <= width ? text : `${text.slice(0, width - 1).trimEnd()}…`;

/** Breaks between words; a word that is longer than a line is broken itself. */
function fold(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (let word of text.split(' ')) {
    while (word.length > width) {
      if (line) lines.push(line);
      line = '';
      lines.push(word.slice(0, width));
      word = word.slice(width);
    }
    if (line && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else line = line ? `${line} ${word}` : word;
  }
  return line ? [...lines, line] : lines;
}

function wrapped(text: string, width: number, indent: string): string[] {
  const [first = '', ...rest] = fold(text, width - indent.length);
  return [first, ...rest.map((line) => indent + line)];
}

const plural = (count: number, word: string): string => (count === 1 ? word : `${word}s`);

const seconds = (millis: number): string =>
  millis < 10_000 ? `${(millis / 1000).toFixed(1)} s` : `${Math.round(millis / 1000)} s`;

function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`;
}
