import { readFileSync } from 'node:fs';
import { join, relative } from 'node:path';

import { columnsOf } from '../base/columns.ts';
import { ClewError, optionError } from '../base/errors.ts';
import { plainText } from '../base/plain-text.ts';
import type { Finding, ProposedRule, Report } from '../diagnosis/finding.ts';
import { wrapped } from '../diagnosis/fold-words.ts';
import { RULE_FILE } from '../instrumentation/rules/rule-file.ts';
import { shortened } from '../viewer/outline.ts';
import { parseArguments } from './arguments.ts';
import { lastRun, type KeptRun } from './doctor-memory.ts';
import { runDoctor } from './doctor-run.ts';
import { compare, leftUnbound } from './fix-verdict.ts';
import { printJson } from './output.ts';
import { RuleEdit } from './rule-edit.ts';

/** In an answer to `--json`; there are a few at most. */
const MAX_ATTEMPTS = 10;
const USAGE = `Usage: clew fix N [options]

Repairs finding N of the last \`clew doctor\` in this folder: writes a rule to
${RULE_FILE}, runs the application again as the doctor did, and keeps the
rule only if the finding is gone and nothing new is found. Otherwise the rule is
removed again.

Options
  --check      write no rule: run again after a change by hand, and report
               whether the finding is gone
  --dry-run    show the rules that would be tried, and change nothing
  --json       print what was tried and kept as JSON (clew.output.schema.json)
  --help       show this

The run proves something only with the same traffic, to the same routes: give
\`clew doctor\` a --traffic command, or send the requests yourself and end the
application.
Rules apply wherever clew/register, start() or enableRules() runs.

Exit status: 0 repaired, 1 not repaired or not proven, 2 wrong usage.`;

/** Writes a rule for a finding of the last run, or takes a change by hand, and proves it by running again. */
export async function fix(args: string[]): Promise<number> {
  const [number, ...rest] = args[0]?.startsWith('-') ? [undefined, ...args] : args;
  const values = parseArguments(rest as string[], {
    check: { type: 'boolean' },
    'dry-run': { type: 'boolean' },
    json: { type: 'boolean' },
    help: { type: 'boolean', short: 'h' },
  });
  if (values.help) {
    console.log(USAGE);
    return 0;
  }
  const kept = lastRun();
  const finding = findingOf(kept.report, number);
  const { rules, change, setup } = finding.fix;
  const isDry = values['dry-run'] === true;
  const print = values.json ? (): void => undefined : printLine;
  print(`${String(finding.number).padEnd(3)}${finding.summary}`);
  let attempts: Attempt[];
  if (values.check === true) return checkChange(kept, finding, print, values.json === true);
  if (rules.length === 0 || isDry) {
    for (const rule of rules) print(`   would try ${shown(rule)}`);
    if (rules.length === 0) print('   No rule can repair this; change the code by hand:');
    if (setup) print(`   ${setup}`);
    if (change) print(`   ${placeOf(change)}${change.text}`);
    attempts = rules.map((rule) => ({ rule, result: 'not tried' }));
  } else attempts = await tryRules(kept, finding, print);
  const isRepaired = attempts.some(({ result }) => result === 'repaired');
  if (values.json) printJson('fix', answerOf(finding, attempts, isRepaired));
  return isRepaired || isDry ? 0 : 1;
}

/** Prints a line for a person; what does not fit goes on below its text. */
function printLine(line: string): void {
  const lead = /^ */.exec(line)?.[0] ?? '';
  const width = columnsOf(process.stdout) - lead.length;
  for (const part of wrapped(plainText(line.trimStart()), width, '   ')) console.log(lead + part);
}

/** A rule, and what became of it. */
interface Attempt {
  rule: ProposedRule;
  result: 'repaired' | 'not repaired' | 'not tried';
  text?: string;
}

/** Runs the application as it is now. */
async function checkChange(
  { run, report }: KeptRun,
  finding: Finding,
  print: (line: string) => void,
  json: boolean,
): Promise<number> {
  checkRepeatable(run);
  print('   running again');
  const after = await runDoctor({ ...run, stdout: 'ignore' });
  const verdict = compare(report, after.report, finding);
  const left = verdict.isProven ? leftUnbound(finding, sourceOf) : undefined;
  const isProven = verdict.isProven && left?.isProven !== false;
  const text = [verdict.text, left?.text].filter(Boolean).join('; ');
  print(`   ${text}`);
  const answer = answerOf(finding, [], isProven);
  if (json) printJson('fix', { ...answer, text: shortened(text, 300) });
  return isProven ? 0 : 1;
}

function checkRepeatable({ pid }: KeptRun['run']): void {
  if (pid === undefined) return;
  const hint = 'Run the application under `clew doctor` first, or see --dry-run';
  const message = `It was seen in process ${pid}, which cannot be run again. ${hint}.`;
  throw new ClewError('ERR_OPTION', message);
}

async function tryRules(
  { run, report }: KeptRun,
  finding: Finding,
  print: (line: string) => void,
): Promise<Attempt[]> {
  checkRepeatable(run);
  const edit = new RuleEdit(join(process.cwd(), RULE_FILE));
  const attempts: Attempt[] = [];
  for (const rule of finding.fix.rules) {
    print(`   trying ${shown(rule)}`);
    edit.add(rule);
    let isProven = false;
    try {
      const after = await runDoctor({ ...run, stdout: 'ignore' });
      const verdict = compare(report, after.report, finding);
      print(`   ${verdict.text}`);
      isProven = verdict.isProven;
      const result = isProven ? 'repaired' : 'not repaired';
      attempts.push({ rule, result, text: verdict.text });
      if (after.wasEnded && run.traffic === undefined && !isProven) break;
    } finally {
      if (!isProven) edit.undo();
    }
    if (isProven) {
      print(`   kept in ${RULE_FILE}, which applies where clew/register runs`);
      return attempts;
    }
  }
  const { change, setup } = finding.fix;
  print('   No rule repaired it.');
  if (setup) print(`   By starting it so: ${setup}`);
  if (change) print(`   By hand: ${placeOf(change)}${change.text}`);
  return attempts;
}

function answerOf(
  { number, name, summary, fix: { change } }: Finding,
  attempts: readonly Attempt[],
  isRepaired: boolean,
): object {
  return {
    finding: { number, name, summary: shortened(summary, 300) },
    attempts: attempts.slice(0, MAX_ATTEMPTS).map(({ text, ...one }) => ({
      ...one,
      ...(text === undefined ? {} : { text: shortened(text, 300) }),
    })),
    repaired: isRepaired,
    ...(isRepaired && attempts.length > 0 ? { file: RULE_FILE } : {}),
    ...(change && !isRepaired ? { change: { ...change, text: shortened(change.text, 500) } } : {}),
  };
}

function findingOf({ findings }: Report, number: string | undefined): Finding {
  if (number === undefined) throw new ClewError('ERR_OPTION', 'Which finding? clew fix 1');
  if (findings.length === 0) {
    const message = `There is no finding ${number}: the last run of \`clew doctor\` here found nothing.`;
    throw new ClewError('ERR_OPTION', message);
  }
  const finding = findings.find((each) => String(each.number) === number);
  if (finding) return finding;
  throw optionError('N', `the number of a finding, 1 to ${findings.length}`, number);
}

function sourceOf(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}

function shown({ module, path, rule }: ProposedRule): string {
  const { kind, ...options } = typeof rule === 'string' ? { kind: rule } : rule;
  const more = Object.keys(options).length > 0 ? ` ${JSON.stringify(options)}` : '';
  return `${module} ${path}: ${kind}${more}`;
}

function placeOf({ file, line }: { file?: string; line?: number }): string {
  return file === undefined ? '' : `${relative(process.cwd(), file)}:${line}: `;
}
