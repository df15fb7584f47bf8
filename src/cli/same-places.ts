import type { Finding, Place, Report } from '../diagnosis/finding.ts';

/** A line that a finding names; some faults of the set-up have none. */
export interface Spot {
  finding: Finding;
  place: Place | undefined;
}

/** The lines of a finding: its own, and those that the same change repairs. */
export function spotsOf(finding: Finding): Spot[] {
  const own = finding.yourLine ?? finding.resource?.born;
  const places = [own, ...(finding.also ?? [])];
  return places.map((place) => ({ finding, place }));
}

/**
 * Pairs the lines of a later report with those of an earlier one. A change of a file moves the lines
 * below it, so a line is known by its text, and of several with the same text the nearest is meant.
 * `undefined` stands for the lines that the earlier report does not have.
 */
export function pairSpots(before: Report, after: Report): Map<Spot, Spot | undefined> {
  const earlier = before.findings.flatMap(spotsOf);
  const pairs = new Map<Spot, Spot | undefined>();
  for (const spot of after.findings.flatMap(spotsOf)) {
    let best: { spot: Spot; score: number } | undefined;
    for (const other of earlier) {
      const score = likeness(spot, other);
      if (score !== undefined && (!best || score > best.score)) best = { spot: other, score };
    }
    pairs.set(spot, best?.spot);
  }
  return pairs;
}

/** The same text counts for more than the distance of the lines, and that for more than the rest. */
const SAME_TEXT = 1e9;
const PER_LINE = 10;

/** How much two lines look like one; undefined if they are two. */
function likeness(a: Spot, b: Spot): number | undefined {
  if (!isSameTrouble(a.finding, b.finding)) return undefined;
  const rest = likenessOfFindings(a.finding, b.finding);
  if (!a.place || !b.place) return a.place === b.place ? rest : undefined;
  if (a.place.file !== b.place.file) return undefined;
  const distance = Math.abs(a.place.line - b.place.line);
  const isSameText = a.place.code !== undefined && a.place.code === b.place.code;
  if (isSameText) return SAME_TEXT - distance * PER_LINE + rest;
  return distance === 0 ? rest : undefined;
}

/** A line may have the same trouble and show it in another way. */
function isSameTrouble(a: Finding, b: Finding): boolean {
  if (a.kind === 'setup' || b.kind === 'setup') return a.name === b.name;
  const isLoss = ({ kind }: Finding): boolean => kind === 'lost' || kind === 'mixed';
  return a.kind === b.kind || (isLoss(a) && isLoss(b));
}

function likenessOfFindings(a: Finding, b: Finding): number {
  const keeper = ({ handOver }: Finding): string => `${handOver?.file} ${handOver?.code}`;
  return (
    (keeper(a) === keeper(b) ? 4 : 0) +
    (a.owner?.label === b.owner?.label ? 2 : 0) +
    (a.name === b.name ? 1 : 0)
  );
}
