import { basename } from 'node:path';

import { keepings } from '../diagnosis/callee.ts';
import { counts, MAX_ROUTES, type Finding, type Place, type Report } from '../diagnosis/finding.ts';
import { pairSpots, spotsOf, type Spot } from './same-places.ts';

/** How many routes a verdict names. */
const MAX_NAMED = 3;

/** What a run after a repair says about the finding. */
export interface Verdict {
  isProven: boolean;
  text: string;
}

/** Whether the finding is gone, with as much traffic, and nothing else came in its place. */
export function compare(before: Report, after: Report | undefined, finding: Finding): Verdict {
  if (!after) return { isProven: false, text: 'the application ended before it could report' };
  const pairs = pairSpots(before, after);
  const thin = thinTraffic(before, after, finding);
  const left = [...pairs].filter(([, spot]) => spot?.finding === finding);
  if (left.length > 0) return { isProven: false, text: whatIsLeft(finding, left, thin) };
  if (thin !== undefined) return { isProven: false, text: `cannot tell: ${thin}` };
  const added = [...pairs].find(([{ finding: other }, spot]) => !spot && counts(other, false));
  if (added)
    return { isProven: false, text: `it caused another finding: ${added[0].finding.summary}` };
  return { isProven: true, text: `${finding.count} → 0` };
}

/** Names the lines of the finding that still lose the context. */
function whatIsLeft(
  finding: Finding,
  left: readonly (readonly [Spot, Spot | undefined])[],
  thin: string | undefined,
): string {
  const all = spotsOf(finding).length;
  const places = new Map(left.map(([{ place }, spot]) => [spot?.place, place]));
  const counted = new Set(left.map(([{ finding: other }]) => other));
  const count = [...counted].reduce((sum, other) => sum + other.count, 0);
  if (places.size === all) return `${finding.count} → ${count}: not repaired`;
  const lines = [...places.values()].flatMap((place) => (place ? [shortPlace(place)] : []));
  const still = `${lines.join(', ')} still ${lines.length === 1 ? 'loses' : 'lose'} the context`;
  // Nothing is known of the lines that no request reached.
  return thin === undefined
    ? `partly repaired: ${all - places.size} of ${all} places; ${still}`
    : `not repaired: ${still}; ${thin}`;
}

/** Why the traffic of the second run proves nothing; undefined if it does. */
function thinTraffic(before: Report, after: Report, { owner }: Finding): string | undefined {
  // Work that is no request has names, too, and too many names are not all kept.
  const names = owner ? [owner.label, ...Object.keys(owner.others ?? {})] : [];
  const known = names.filter((name) => before.routes[name] !== undefined);
  const isWhole = Object.keys(after.routes).length < MAX_ROUTES;
  const missing = isWhole ? known.filter((name) => after.routes[name] === undefined) : [];
  if (missing.length > 0) {
    const which = `${missing.slice(0, MAX_NAMED).join(', ')}${missing.length > MAX_NAMED ? ', …' : ''}`;
    return `no request for ${which}; send ${missing.length === 1 ? 'one' : 'some'}, as before`;
  }
  for (const name of isWhole ? known : []) {
    const [now = 0, then = 0] = [after.routes[name], before.routes[name]];
    if (now * 2 < then) return `too little traffic: ${requests(now)} for ${name}, ${then} before`;
  }
  if (after.requests * 2 >= before.requests) return undefined;
  return `too little traffic: ${requests(after.requests)}, ${before.requests} before`;
}

const requests = (count: number): string => `${count} request${count === 1 ? '' : 's'}`;

const shortPlace = ({ file, line }: Place): string => `${basename(file)}:${line}`;

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
  const { file, line: changed = 0, names = [] } = change ?? {};
  const text = file === undefined || names.length < 2 ? undefined : source(file);
  if (file === undefined || text === undefined) return undefined;
  const kept = names.flatMap((name) =>
    keepings(text, name).filter((one) => one.names.includes(name)),
  );
  const left = names.filter(
    (name) => !isBound(text, name) && kept.some((one) => one.names.includes(name)),
  );
  // Of several queues in a file, the nearest to the named line is meant.
  const [at] = kept
    .filter((one) => left.some((name) => one.names.includes(name)))
    .toSorted((a, b) => Math.abs(a.line - changed) - Math.abs(b.line - changed));
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
