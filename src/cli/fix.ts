import { join, relative } from 'node:path';

import { ClewError, optionError } from '../base/errors.ts';
import { counts, type Finding, type ProposedRule, type Report } from '../diagnosis/finding.ts';
import { RULE_FILE } from '../instrumentation/rules/rule-file.ts';
import { parseArguments } from './arguments.ts';
import { lastRun, type KeptRun } from './doctor-memory.ts';
import { runDoctor } from './doctor-run.ts';
import { RuleEdit } from './rule-edit.ts';

const USAGE = `Usage: clew fix N [options]

Repairs finding N of the last \`clew doctor\` in this folder: writes a rule to
${RULE_FILE}, runs the application again as the doctor did, and keeps the rule
only if the finding is gone and nothing new is found. Rules that do not prove
themselves are taken out again.

Options
  --dry-run    show the rules that would be tried, and change nothing
  --help       show this

The run is only a proof where it sees the same traffic: give \`clew doctor\` a
--traffic command, or send the requests yourself and end the application.
Rules hold where clew/register, start() or enableRules() runs.

Exit status: 0 repaired, 1 not repaired, 2 wrong usage.`;

/** Writes a rule for a finding of the last run, and proves it by running again. */
export async function fix(args: string[]): Promise<number> {
  const [number, ...rest] = args[0]?.startsWith('-') ? [undefined, ...args] : args;
  const values = parseArguments(rest as string[], {
    'dry-run': { type: 'boolean' },
    help: { type: 'boolean', short: 'h' },
  });
  if (values.help) {
    console.log(USAGE);
    return 0;
  }
  const kept = lastRun();
  const finding = findingOf(kept.report, number);
  const { rules, change } = finding.fix;
  console.log(`${finding.number}  ${finding.summary}`);
  if (rules.length === 0 || values['dry-run']) {
    for (const rule of rules) console.log(`   would try ${shown(rule)}`);
    if (rules.length === 0) console.log('   No rule can repair this; it takes a change by hand:');
    if (change) console.log(`   ${placeOf(change)}${change.text}`);
    return values['dry-run'] ? 0 : 1;
  }
  return tryRules(kept, finding);
}

async function tryRules({ run, report }: KeptRun, finding: Finding): Promise<number> {
  const edit = new RuleEdit(join(process.cwd(), RULE_FILE));
  for (const rule of finding.fix.rules) {
    console.log(`   trying ${shown(rule)}`);
    edit.add(rule);
    let isProven = false;
    try {
      const after = await runDoctor({ ...run, stdout: 'ignore' });
      const verdict = compare(report, after.report, finding);
      console.log(`   ${verdict.text}`);
      isProven = verdict.isProven;
      if (after.wasEnded && run.traffic === undefined && !isProven) break;
    } finally {
      if (!isProven) edit.undo();
    }
    if (isProven) {
      console.log(`   kept in ${RULE_FILE}`);
      return 0;
    }
  }
  const { change } = finding.fix;
  console.log('   No rule repaired it.');
  if (change) console.log(`   By hand: ${placeOf(change)}${change.text}`);
  return 1;
}

/** Whether the finding is gone, with as much traffic, and nothing else came in its place. */
function compare(
  before: Report,
  after: Report | undefined,
  finding: Finding,
): { isProven: boolean; text: string } {
  if (!after) return { isProven: false, text: 'the application ended before it could report' };
  if (after.requests * 2 < before.requests) {
    const text = `too little traffic for a proof: ${after.requests} requests, ${before.requests} before`;
    return { isProven: false, text };
  }
  const left = after.findings.find((other) => isSame(other, finding));
  if (left) return { isProven: false, text: `${finding.count} → ${left.count}: not repaired` };
  const known = before.findings;
  const added = after.findings.find(
    (other) => counts(other, false) && !known.some((one) => isSame(one, other)),
  );
  if (added) return { isProven: false, text: `it brought another finding: ${added.summary}` };
  return { isProven: true, text: `${finding.count} → 0` };
}

/** The same line of the application has the same trouble, whichever way it shows. */
function isSame(a: Finding, b: Finding): boolean {
  const where = ({ yourLine, resource }: Finding): string =>
    `${yourLine?.file}:${yourLine?.line} ${yourLine ? '' : resource?.born?.line}`;
  const isLoss = ({ kind }: Finding): boolean => kind === 'lost' || kind === 'mixed';
  return where(a) === where(b) && (a.kind === b.kind || (isLoss(a) && isLoss(b)));
}

function findingOf({ findings }: Report, number: string | undefined): Finding {
  if (number === undefined) throw new ClewError('ERR_OPTION', 'Which finding? clew fix 1');
  const finding = findings.find((each) => String(each.number) === number);
  if (finding) return finding;
  throw optionError('N', `the number of a finding, 1 to ${findings.length}`, number);
}

function shown({ module, path, rule }: ProposedRule): string {
  const { kind, ...options } = typeof rule === 'string' ? { kind: rule } : rule;
  const more = Object.keys(options).length > 0 ? ` ${JSON.stringify(options)}` : '';
  return `${module} ${path}: ${kind}${more}`;
}

function placeOf({ file, line }: { file?: string; line?: number }): string {
  return file === undefined ? '' : `${relative(process.cwd(), file)}:${line}: `;
}
