import { certaintyOf } from './certainty.ts';
import type { Finding, FindingName, FoundContext, Place } from './finding.ts';
import {
  callersOf,
  dispatchersIn,
  handOverIn,
  packageOf,
  partyOf,
  synchronous,
  yourFrame,
  type HandOver,
  type ReadCall,
} from './stack-frames.ts';
import { callReader, located } from './locate.ts';
import type { CountedObservation, Frame, HandleRecord, RunRecord } from './record.ts';
import { nameOf } from './finding-name.ts';
import { mergeStale, mergeUnexplained, sum } from './merge.ts';
import { callsAt, isListener, repairOf } from './repair.ts';
import { setupFindings } from './setup-findings.ts';
import { ownersOf, summaryOf } from './summary.ts';
import { BARE_SURROUNDINGS, DOCS, type Surroundings } from './surroundings.ts';

/** Findings by cause, most damage first; notes come last. */
export function diagnose(run: RunRecord, surroundings: Surroundings): Finding[] {
  const read = callReader(surroundings);
  const observations = run.observations.map((seen) => located(seen, surroundings));
  const causes = mergeStale(mergeUnexplained(observations, read), read);
  const dispatchers = dispatchersIn(observations.flatMap(stacksOf));
  const losses = oneForEachRepair(causes, (seen) =>
    findingOf(seen, surroundings, read, dispatchers),
  );
  return inOrder([...setupFindings(run.facts, surroundings), ...losses]);
}

const stacksOf = ({ stack, birth = [], handle }: CountedObservation): (readonly Frame[])[] => [
  stack,
  birth,
  handle?.stack ?? [],
];

/** The number of further lines that a finding names. */
const MAX_ALSO = 20;

/**
 * Turns observations into findings. Several lines that one line of the application called back, and
 * that one change repairs, become one finding.
 */
function oneForEachRepair(
  observations: readonly CountedObservation[],
  findingFor: (seen: CountedObservation) => Finding | undefined,
): Finding[] {
  const groups = new Map<string, { seen: CountedObservation; findings: Finding[] }>();
  const rest: Finding[] = [];
  for (const seen of observations) {
    const finding = findingFor(seen);
    const repair = finding && repairedWith(finding);
    const group = repair === undefined ? undefined : groups.get(repair);
    if (!finding) continue;
    if (repair === undefined) rest.push(finding);
    else if (!group) groups.set(repair, { seen, findings: [finding] });
    else {
      const isMore = seen.count > group.seen.count;
      group.seen = isMore ? sum(seen, group.seen) : sum(group.seen, seen);
      group.findings[isMore ? 'unshift' : 'push'](finding);
    }
  }
  for (const { seen, findings } of groups.values()) {
    const [finding, ...others] = findings;
    const whole = others.length > 0 ? findingFor(seen) : finding;
    if (!whole) continue;
    const also = otherLines(whole, others);
    rest.push(also.length > 0 ? { ...whole, also } : whole);
  }
  return rest;
}

/** The lines of further findings, each line once and without that of the first one. */
function otherLines({ yourLine }: Finding, others: readonly Finding[]): Place[] {
  const keyOf = ({ file, line }: Place): string => `${file}:${line}`;
  const lines = new Map<string, Place>();
  for (const { yourLine: other } of others) if (other) lines.set(keyOf(other), other);
  if (yourLine) lines.delete(keyOf(yourLine));
  return [...lines.values()].slice(0, MAX_ALSO);
}

/** Returns the key shared by findings that the same change of the application repairs. */
function repairedWith({ kind, name, certainty, handOver, fix }: Finding): string | undefined {
  if (handOver?.by !== 'application' || !fix.change?.file) return undefined;
  const { file, line } = handOver;
  return [kind, name, certainty, file, line, fix.change.file, fix.change.line].join('|');
}

/** Sorts and numbers findings: most damage first. */
export function inOrder(findings: Finding[]): Finding[] {
  findings.sort((a, b) => rank(a) - rank(b) || damage(b) - damage(a));
  findings.forEach((finding, index) => {
    finding.number = index + 1;
    if (finding.fix.rules.length > 0) finding.fix.command = `clew fix ${index + 1}`;
    if (finding.fix.change) finding.fix.check = `clew fix ${index + 1} --check`;
  });
  return findings;
}

/** Spans that are wrong stay so where they arrive: what only keeps them from arriving comes after. */
const DELIVERY: ReadonlySet<FindingName> = new Set([
  'CLEW-SETUP-EXPORT-FAILS',
  'CLEW-SETUP-NO-COLLECTOR',
]);

function rank({ note, certainty, name }: Finding): number {
  if (note) return 3;
  if (certainty === 'possible') return 2;
  return DELIVERY.has(name) ? 1 : 0;
}

/** Another fault of the set-up may cost everything. */
const damage = ({ kind, brokenSpans, count }: Finding): number =>
  kind === 'setup' ? Number.MAX_SAFE_INTEGER : Math.max(brokenSpans, count);

/** Methods by which handlers of requests are given, once for all. */
const ROUTES = new Set('get post put patch delete del head options all any use route'.split(' '));

/**
 * Finds the code that handed over to a line of the application. Code that only brought a request to
 * its handler created async resources, but kept nothing.
 */
function handOverTo(
  your: Frame | undefined,
  seen: CountedObservation,
  surroundings: Surroundings,
  read: ReadCall,
  dispatchers: ReadonlySet<string>,
): HandOver | undefined {
  const around = your ? callsAt(your, surroundings) : [];
  const isAround = (frame: Frame): boolean => {
    if (frame.file !== your?.file) return false;
    if (frame.fn !== undefined && frame.fn === your.fn) return true;
    if (around.some(({ line }) => line === frame.line)) return true;
    return callsAt(frame, surroundings).some((call) =>
      around.some(({ isOnce, line, column }) => {
        return !isOnce && line === call.line && column === call.column;
      }),
    );
  };
  const routes = around.filter(({ isOnce, method }) => isOnce && ROUTES.has(method));
  // The handler itself, and not a callback that it gives to other code.
  const isHandler = (frame: Frame): boolean => {
    const [inner] = frame.file === your?.file ? callsAt(frame, surroundings) : [];
    return routes.some(({ line, column }) => line === inner?.line && column === inner.column);
  };
  const routers = callersOf(isHandler, routes.length > 0 ? [seen.stack, seen.birth ?? []] : []);
  // A handler that is the argument of no call, as a method is, was given to what dispatches.
  const isTable = (name: string): boolean =>
    routers.has(name) || (around.length === 0 && dispatchers.has(name));
  const handOver = handOverIn(seen, read, isAround, { isTable, dispatchers });
  const { fromBirth = false, viaTable = false, package: name = '' } = handOver ?? {};
  const isDispatcher = fromBirth && !viaTable && dispatchers.has(name);
  return isDispatcher ? undefined : handOver;
}

function findingOf(
  seen: CountedObservation,
  surroundings: Surroundings,
  read: ReadCall,
  dispatchers: ReadonlySet<string>,
): Finding | undefined {
  const your = yourFrame(seen.stack, read) ?? yourFrame(seen.handle?.stack ?? []);
  const handOver = handOverTo(your, seen, surroundings, read, dispatchers);
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
  if (seen.handle) finding.resource = resourceOf(seen.handle, seen, surroundings);
  const context = contextOf(seen, surroundings);
  if (context) finding.context = context;
  if (handOver) {
    finding.handOver = { ...placeOf(handOver.frame, surroundings), by: handOver.by };
    if (handOver.package) finding.handOver.package = handOver.package;
  }
  const owner = ownerOf(seen);
  if (owner) finding.owner = owner;
  const isSwitched =
    context?.by === 'application' &&
    seen.owner !== undefined &&
    seen.handle?.bornIn?.id === seen.owner.id;
  finding.fix = repairOf(
    finding,
    {
      viaEmitter,
      isOnStack: handOver?.fromBirth !== true,
      isSwitched,
      viaTable: handOver?.viaTable === true,
    },
    surroundings,
  );
  return finding;
}

function resourceOf(
  { type, asyncId, repeating, chained, older, stack, bornIn }: HandleRecord,
  { kind, owner }: CountedObservation,
  surroundings: Surroundings,
): NonNullable<Finding['resource']> {
  // A chain that continues after its request is a loop; elsewhere each timer may belong to another
  // caller.
  const isLoop = kind === 'stale' && chained === true;
  const resource: NonNullable<Finding['resource']> = {
    type,
    asyncId,
    repeating: repeating || isLoop,
  };
  const born =
    yourFrame(stack) ?? synchronous(stack).find(({ file }) => partyOf(file) === 'package');
  if (born) resource.born = placeOf(born, surroundings);
  if (bornIn) resource.bornIn = bornIn.label;
  if (older) resource.older = true;
  if (bornIn && bornIn.id !== owner?.id && bornIn.label === owner?.label) {
    resource.bornInAnother = true;
  }
  return resource;
}

/** Parts of OpenTelemetry that activate contexts for other code. */
const MIDDLE_MEN = /^(?:@opentelemetry\/(?:api|context-|core|sdk-)|clew$)/;

function contextOf(
  { origin, seen, owner, kind }: CountedObservation,
  surroundings: Surroundings,
): Finding['context'] {
  if (!origin) return undefined;
  const { stack, how, millis } = origin;
  const called = synchronous(stack);
  const tools = called.filter(({ file }) => partyOf(file) === 'tool');
  const frame =
    yourFrame(stack) ??
    called.find(({ file }) => partyOf(file) === 'package') ??
    tools.find(({ file }) => !MIDDLE_MEN.test(packageOf(file) ?? '')) ??
    tools[0];
  if (!frame) return undefined;
  const by = partyOf(frame.file) as FoundContext['by'];
  const place = placeOf(frame, surroundings);
  const context: FoundContext = { how, place, by, millisBefore: Math.round(millis * 10) / 10 };
  if (by !== 'application') context.package = packageOf(frame.file) ?? 'clew';
  // Stale work is stale under its own request.
  const whose = kind === 'stale' ? owner : seen;
  if (whose) context.of = whose.label;
  if (kind === 'mixed' && whose?.label === owner?.label) context.ofAnother = true;
  return context;
}

function ownerOf(seen: CountedObservation): Finding['owner'] {
  const [first, ...others] = ownersOf(seen);
  if (!first) return undefined;
  const [label, count] = first;
  const owner: Finding['owner'] = { label, count, evidence: evidenceOf(seen) };
  if (others.length > 0) owner.others = Object.fromEntries(others);
  return owner;
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
    return /^(?:res|stream)\./.test(what)
      ? `${each} called ${what} of that request`
      : `${each} worked on what that request owns (${what})`;
  }
  return 'it was the only request in flight';
}

function placeOf(frame: Frame, surroundings: Surroundings): Place {
  const place = frame.isSource ? BARE_SURROUNDINGS.original(frame) : surroundings.original(frame);
  const code = surroundings.sourceLine(place.file, place.line)?.trim();
  return code ? { ...place, code: code.slice(0, 160) } : place;
}
