import { relative } from 'node:path';

import { plainTexts } from '../base/plain-text.ts';
import type { Certainty, Finding, FoundContext, Place, Report } from './finding.ts';
import { foldWords, wrapped } from './fold-words.ts';

/** How to format a report. */
export interface TextOptions {
  /** The width of the terminal in columns; default 80. */
  width?: number;
  colour?: boolean;
  /** Show findings that are only possible in full, too. */
  strict?: boolean;
  /** The folder that paths are relative to; default: the working directory. */
  folder?: string;
  /** How the application failed before anything was observed: `with exit code 1`. */
  failed?: string | undefined;
}

const LABEL = 16;
/** The number of findings that are shown in full. */
const MAX_SHOWN = 20;
/** The number of further requests and lines that a finding names. */
const MAX_OTHERS = 4;
const STYLES = { bold: '1', red: '31', green: '32', yellow: '33', cyan: '36', dim: '2' } as const;
type Style = keyof typeof STYLES;
const COLOURS: Record<Certainty, Style> = { proven: 'red', likely: 'yellow', possible: 'dim' };

/** Formats a report as text for the terminal; names and lines of code in it are others' text. */
export function reportText(report: Report, options: TextOptions = {}): string {
  return new Writer(options).report(plainTexts(report));
}

class Writer {
  readonly #width: number;
  readonly #colour: boolean;
  readonly #strict: boolean;
  readonly #folder: string;
  readonly #failed: string | undefined;
  readonly #lines: string[] = [];

  constructor({ width = 80, colour = false, strict = false, folder, failed }: TextOptions) {
    this.#width = Math.max(40, width);
    this.#colour = colour;
    this.#strict = strict;
    this.#folder = folder ?? process.cwd();
    this.#failed = failed;
  }

  report(report: Report): string {
    const { requests, spans, millis, findings, rules, dropped } = report;
    const seen = `${counted(requests, 'request')} · ${counted(spans, 'span')} · ${seconds(millis)}`;
    this.#line(`${this.#paint('clew doctor', 'bold')}    ${seen}`);
    const broken = findings.filter((finding) => !finding.note);
    const sure = broken.filter(({ certainty }) => this.#strict || certainty !== 'possible');
    const possible = broken.filter((finding) => !sure.includes(finding));
    this.#line(this.#verdict(sure, report));
    if (rules !== undefined) {
      const text = `with the rules of ${this.#path(rules)} applied; without the doctor they apply where clew/register runs`;
      this.#wrap(text, '');
    }
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
      this.#line(
        '',
        `${dropped} more observations were too many, or came too fast, to be analysed`,
      );
    if (requests === 0 && spans > 0 && sure.length === 0)
      this.#line('no request was seen: for requests this is not a pass');
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
    if (requests + spans > 0) return this.#paint('no context was lost', 'green');
    return this.#failed
      ? `nothing was seen: the application failed ${this.#failed} before any request`
      : 'nothing was seen, which is not a pass: no request, no span. Was there traffic?';
  }

  #finding(finding: Finding): void {
    const {
      number,
      summary,
      certainty,
      yourLine,
      also = [],
      resource,
      context,
      handOver,
      owner,
      fix,
    } = finding;
    const head = `${String(number).padEnd(3)}${summary}`;
    const sure = this.#paint(certainty, COLOURS[certainty]);
    this.#line('');
    const lines = wrapped(head, this.#width - certainty.length - 2, '   ');
    const first = lines.shift() ?? '';
    const gap = ' '.repeat(Math.max(1, this.#width - first.length - certainty.length));
    this.#line(this.#paint(first, 'bold') + gap + sure);
    for (const line of lines) this.#line(this.#paint(line, 'bold'));
    if (yourLine) this.#entry('your code', this.#place(yourLine), yourLine.code);
    for (const line of also.slice(0, MAX_OTHERS)) this.#entry('and', this.#place(line), line.code);
    if (also.length > MAX_OTHERS) this.#entry('', `and ${also.length - MAX_OTHERS} more lines`);
    if (resource) this.#entry('ran inside', this.#resource(resource));
    // A tracer's activation at the start of a request is normal and is not mentioned.
    if (context && (context.by !== 'tool' || context.of !== resource?.bornIn)) {
      this.#entry('in context', this.#context(context));
    }
    if (handOver) {
      const what = handOver.by === 'application' ? 'your code kept or emitted it' : undefined;
      this.#entry('handed over', this.#place(handOver), what);
    }
    if (owner) {
      this.#entry('belongs to', this.#owner(owner, finding.count));
    }
    this.#fix(fix);
    this.#entry('more', `${finding.name}  ${finding.docs}`, undefined, 'dim');
  }

  #owner(
    { label, count, others = {}, evidence }: NonNullable<Finding['owner']>,
    of: number,
  ): string {
    const more = Object.entries(others).map(([other, times]) => `, ${other} (${times})`);
    const left = more.length - MAX_OTHERS;
    const rest = left > 0 ? ` and ${left} more` : '';
    return `${label} (${count} of ${of})${more.slice(0, MAX_OTHERS).join('')}${rest}: ${evidence}`;
  }

  #fix({ rules, change, setup, command, check }: Finding['fix']): void {
    let label = 'fix';
    if (setup) {
      this.#entry(label, setup, undefined, 'cyan');
      label = 'or';
    }
    const [rule] = rules;
    if (rule) {
      const kind = typeof rule.rule === 'string' ? rule.rule : rule.rule.kind;
      this.#entry(label, `rule ${rule.module} ${rule.path}: ${kind}`, command, 'cyan');
      label = 'or';
    }
    if (change) {
      const where = change.file ? `${this.#path(change.file)}:${change.line}: ` : '';
      this.#entry(label, where + change.text, rule ? undefined : check, 'cyan');
    }
  }

  #resource(resource: NonNullable<Finding['resource']>): string {
    const { type, asyncId, born, bornIn, bornInAnother, older, repeating } = resource;
    const what = `${type} #${asyncId}${repeating ? ' (repeats)' : ''}`;
    const where = born ? `, created at ${this.#place(born)}` : '';
    if (older) return `${what}, older than the doctor: no known owner`;
    if (!bornIn) return `${what}${where}: no request owns it`;
    // An incoming message is not created in a request; it is the request.
    const inside = type === 'HTTPINCOMINGMESSAGE' || !born ? ' of' : ' in';
    return `${what}${where}${inside} ${bornInAnother ? 'another ' : ''}${bornIn}`;
  }

  #context({ of, ofAnother, how, place, by, package: name, millisBefore }: FoundContext): string {
    const whose = of ? `of ${ofAnother ? 'another ' : ''}${of}` : 'of no request';
    const where = by === 'tool' ? `by ${name}` : `at ${this.#place(place)}`;
    return `${whose}, ${how} ${where} ${duration(millisBefore)} before`;
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

  /**
   * Returns a relative path if that is shorter; for a package its name, wherever it is installed.
   */
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
        : [...foldWords(text, room), ...(extra ? [cut(extra, room)] : [])];
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

/** A line of source is for recognition: its beginning is enough. */
const cut = (text: string, width: number): string =>
  text.length <= width ? text : `${text.slice(0, width - 1).trimEnd()}…`;

const plural = (count: number, word: string): string => (count === 1 ? word : `${word}s`);

const seconds = (millis: number): string =>
  millis < 10_000 ? `${(millis / 1000).toFixed(1)} s` : `${Math.round(millis / 1000)} s`;

const duration = (millis: number): string =>
  millis < 1000 ? `${Math.round(millis)} ms` : seconds(millis);

function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`;
}
