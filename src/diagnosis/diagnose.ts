import { certaintyOf } from './certainty.ts';
import type { Certainty, Finding, Place } from './finding.ts';
import { handOverIn, partyOf, synchronous, yourFrame } from './frames.ts';
import type { CountedObservation, Frame, HandleRecord, OwnerRef, RunRecord } from './record.ts';
import { nameOf } from './finding-name.ts';
import { mergeUnexplained } from './merge.ts';
import { isListener, repairOf } from './repair.ts';
import { setupFindings } from './setup-findings.ts';
import { summaryOf } from './summary.ts';
import { DOCS, type Surroundings } from './surroundings.ts';

/** Findings by cause, most damage first; what is only good to know comes last. */
export function diagnose(run: RunRecord, surroundings: Surroundings): Finding[] {
  const losses = mergeUnexplained(run.observations).flatMap(
    (seen) => findingOf(seen, surroundings) ?? [],
  );
  const findings = [...setupFindings(run.facts, surroundings), ...losses];
  findings.sort((a, b) => rank(a) - rank(b) || damage(b) - damage(a));
  findings.forEach((finding, index) => {
    finding.number = index + 1;
    if (finding.fix.rules.length > 0) finding.fix.command = `clew fix ${index + 1}`;
  });
  return findings;
}

const RANKS: Record<Certainty, number> = { proven: 0, likely: 0, possible: 1 };
const rank = (finding: Finding): number => (finding.note ? 2 : RANKS[finding.certainty]);
/** A fault of the set-up may cost everything. */
const damage = ({ kind, brokenSpans, count }: Finding): number =>
  kind === 'setup' ? Number.MAX_SAFE_INTEGER : Math.max(brokenSpans, count);

function findingOf(seen: CountedObservation, surroundings: Surroundings): Finding | undefined {
  const handOver = handOverIn(seen);
  const your = yourFrame(seen.stack) ?? yourFrame(seen.handle?.stack ?? []);
  const certainty = certaintyOf(seen, handOver);
  // Without a line of the application there is nothing to repair, and often nothing is broken.
  if (certainty === undefined || !your) return undefined;
  const yourLine = placeOf(your, surroundings);
  const viaEmitter =
    handOver?.viaEmitter === true ||
    (handOver?.by === 'package' && isListener(yourLine, surroundings));
  const name = nameOf(seen, handOver, viaEmitter);
  const finding: Finding = {
    number: 0,
    name,
    kind: seen.kind,
    certainty,
    note: seen.kind === 'batched',
    count: seen.count,
    brokenSpans: seen.brokenSpans,
    summary: summaryOf(seen),
    yourLine,
    fix: { rules: [] },
    docs: `${DOCS}#${name.toLowerCase()}`,
  };
  if (seen.handle) finding.resource = resourceOf(seen.handle, seen.owner, surroundings);
  if (handOver) {
    finding.handOver = { ...placeOf(handOver.frame, surroundings), by: handOver.by };
    if (handOver.package) finding.handOver.package = handOver.package;
  }
  const owner = ownerOf(seen);
  if (owner) finding.owner = owner;
  finding.fix = repairOf(finding, { viaEmitter }, surroundings);
  return finding;
}

function resourceOf(
  { type, asyncId, repeating, stack, bornIn }: HandleRecord,
  owner: OwnerRef | undefined,
  surroundings: Surroundings,
): NonNullable<Finding['resource']> {
  const resource: NonNullable<Finding['resource']> = { type, asyncId, repeating };
  const born =
    yourFrame(stack) ?? synchronous(stack).find(({ file }) => partyOf(file) === 'package');
  if (born) resource.born = placeOf(born, surroundings);
  if (bornIn) resource.bornIn = bornIn.label;
  if (bornIn && bornIn.id !== owner?.id && bornIn.label === owner?.label) {
    resource.bornInAnother = true;
  }
  return resource;
}

function ownerOf(seen: CountedObservation): Finding['owner'] {
  const [first] = Object.entries(seen.owners).sort(([, a], [, b]) => b - a);
  if (!first) return undefined;
  const [label, count] = first;
  return { label, count, evidence: evidenceOf(seen) };
}

function evidenceOf({ kind, anchored, what, count, handle }: CountedObservation): string {
  if (kind === 'stale') {
    const home = handle ? `the ${handle.type} was created in it` : 'its span is the parent';
    return `${home}, and it had ended each time`;
  }
  if (kind === 'batched') return 'responses of several requests were touched in one turn';
  if (kind === 'inactive') return 'the span was open, and its work got the parent it has itself';
  if (anchored) {
    const each = count === 1 ? 'the callback' : `each of ${count} callbacks`;
    return what.startsWith('res.')
      ? `${each} called ${what} of that request`
      : `${each} worked on what that request owns (${what})`;
  }
  return 'it was the only request in flight';
}

function placeOf(frame: Frame, surroundings: Surroundings): Place {
  const place = surroundings.original(frame);
  const code = surroundings.sourceLine(place.file, place.line)?.trim();
  return code ? { ...place, code: code.slice(0, 160) } : place;
}
