import { basename } from 'node:path';

import { keepings } from '../diagnosis/callee.ts';
import { counts, type Finding, type Report } from '../diagnosis/finding.ts';

/** What a run after a repair says about the finding. */
export interface Verdict {
  isProven: boolean;
  text: string;
}

/** Whether the finding is gone, with as much traffic, and nothing else came in its place. */
export function compare(before: Report, after: Report | undefined, finding: Finding): Verdict {
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
  if (added) return { isProven: false, text: `it caused another finding: ${added.summary}` };
  return { isProven: true, text: `${finding.count} → 0` };
}

/**
 * What a change by hand left out, as the source shows it; undefined where it shows nothing of that.
 * A response shows the context of the function that answers. A queue that keeps the work beside that
 * function and binds only one of the two has the spans of the other in a wrong trace, where no
 * response shows it.
 */
export function leftUnbound(
  { fix: { change } }: Finding,
  source: (file: string) => string | undefined,
): Verdict | undefined {
  const { file, names = [] } = change ?? {};
  const text = file === undefined || names.length < 2 ? undefined : source(file);
  if (file === undefined || text === undefined) return undefined;
  const kept = names.flatMap((name) =>
    keepings(text, name).filter((one) => one.names.includes(name)),
  );
  const left = names.filter(
    (name) => !isBound(text, name) && kept.some((one) => one.names.includes(name)),
  );
  const [at] = kept.filter((one) => left.some((name) => one.names.includes(name)));
  if (!at) return undefined;
  const where = `${basename(file)}:${at.line}`;
  if (left.length === names.length) {
    const which = left.join(' and ');
    const text = `${where} still keeps ${which}, and no bind() of them is seen in that file: whether the spans of both are in the right trace cannot be told from responses`;
    return { isProven: true, text };
  }
  const bound = names.filter((name) => !left.includes(name)).join(' and ');
  return {
    isProven: false,
    text: `partly repaired: ${where} binds ${bound} and keeps ${left.join(' and ')} as it is, whose spans are in another trace, or in none`,
  };
}

/** Whether a text has a call like `AsyncResource.bind(name)`, by whichever name it is imported. */
function isBound(text: string, name: string): boolean {
  const before = '(?:(?:[^()]|\\([^()]*\\))*[\\s,(])?';
  const own = name.replaceAll('$', '\\$');
  return new RegExp(`(?:bind|wrap)[\\w$]*\\(${before}${own}\\s*[,)]`, 'i').test(text);
}

/** The same line of the application has the same trouble, whichever way it shows. */
function isSame(a: Finding, b: Finding): boolean {
  const where = ({ name, kind, yourLine, resource }: Finding): string => {
    // Faults of the set-up have no line, most of them.
    if (kind === 'setup') return `${name} ${yourLine?.file}:${yourLine?.line}`;
    return `${yourLine?.file}:${yourLine?.line} ${yourLine ? '' : resource?.born?.line}`;
  };
  const isLoss = ({ kind }: Finding): boolean => kind === 'lost' || kind === 'mixed';
  return where(a) === where(b) && (a.kind === b.kind || (isLoss(a) && isLoss(b)));
}
