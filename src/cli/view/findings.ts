import { FINDINGS, type Finding, type FindingName, type Report } from '../../diagnosis/finding.ts';
import type { DescribeFinding, ReportedFinding } from '../../viewer/findings.ts';
import type { FindingView, PlaceView } from '../../viewer/model.ts';

/*
 * The doctor's findings as the viewer shows them.
 */

const KINDS: readonly [prefix: string, kind: FindingView['kind']][] = [
  ['CLEW-LOST', 'lost'],
  ['CLEW-MIXED', 'mixed'],
  ['CLEW-STALE', 'stale'],
  ['CLEW-BATCHED', 'batched'],
  ['CLEW-SPAN', 'inactive'],
  ['CLEW-SETUP', 'setup'],
];

/** What a mark on a span means. */
export const describeFinding: DescribeFinding = (name) => {
  if (!Object.hasOwn(FINDINGS, name)) return undefined;
  const kind = KINDS.find(([prefix]) => name.startsWith(prefix))?.[1] ?? 'lost';
  const docs = `docs/findings.md#${name.toLowerCase()}`;
  return { kind, summary: FINDINGS[name as FindingName], docs };
};

/** Whether parsed JSON is what `clew doctor --json` prints. */
export function isReport(json: unknown): json is Report {
  const { version, findings } = asObject<Report>(json);
  return version === 1 && Array.isArray(findings) && findings.every(isFinding);
}

function isFinding(value: unknown): boolean {
  const { name, kind, summary, count, fix, owner, yourLine, handOver } = asObject<Finding>(value);
  if (![name, kind, summary].every((one) => typeof one === 'string')) return false;
  if (typeof count !== 'number' || !isObject(fix)) return false;
  const { change, rules } = asObject<Finding['fix']>(fix);
  const parts = [owner, yourLine, handOver, change];
  if (!parts.every((one) => one === undefined || one === null || isObject(one))) return false;
  return rules === undefined || (Array.isArray(rules) && rules.every(isObject));
}

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null;

function asObject<Shape>(value: unknown): Partial<Shape> {
  return isObject(value) ? value : {};
}

/** The findings of a report. */
export function findingsOf({ findings }: Report): ReportedFinding[] {
  return findings.map((finding) => {
    const { name, kind, summary, certainty, count, owner, yourLine, handOver, fix, docs } = finding;
    const [rule] = fix.rules ?? [];
    const change = fix.change?.text;
    return {
      name,
      kind,
      summary,
      certainty,
      count,
      docs,
      ...(owner ? { owner: owner.label } : {}),
      ...(yourLine ? { place: placeOf(yourLine) } : {}),
      ...(handOver
        ? {
            handOver: {
              ...placeOf(handOver),
              ...(handOver.package === undefined ? {} : { package: handOver.package }),
            },
          }
        : {}),
      fix: {
        ...(change === undefined ? {} : { change }),
        ...(fix.command === undefined ? {} : { command: fix.command }),
        ...(rule ? { rule: JSON.stringify({ [rule.module]: { [rule.path]: rule.rule } }) } : {}),
      },
    };
  });
}

function placeOf({ file, line, column, function: name, code }: PlaceView): PlaceView {
  return {
    file,
    line,
    ...(column === undefined ? {} : { column }),
    ...(name === undefined ? {} : { function: name }),
    ...(code === undefined ? {} : { code }),
  };
}
