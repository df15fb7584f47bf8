import { inOrder } from './diagnose.ts';
import { MAX_ROUTES, type Finding, type Report } from './finding.ts';

/**
 * Merges several reports into one: an application may have worker threads and child processes, each
 * with its own detector. Findings with the same cause become one, with the sum of their counts.
 */
export function mergeReports([first, ...rest]: readonly Report[]): Report | undefined {
  if (!first || rest.length === 0) return first;
  const merged = { ...first, routes: { ...first.routes } };
  const causes = new Map<string, Finding>();
  for (const finding of first.findings) causes.set(causeOf(finding), finding);
  for (const { requests, routes, spans, millis, dropped, findings } of rest) {
    merged.requests += requests;
    addRoutes(merged.routes, routes);
    merged.spans += spans;
    merged.millis = Math.max(merged.millis, millis);
    merged.dropped += dropped;
    for (const finding of findings) {
      const cause = causeOf(finding);
      const known = causes.get(cause);
      causes.set(cause, known ? sum(known, finding) : finding);
    }
  }
  merged.findings = inOrder([...causes.values()]);
  return merged;
}

function addRoutes(to: Record<string, number>, routes: Readonly<Record<string, number>>): void {
  let left = MAX_ROUTES - Object.keys(to).length;
  for (const [route, count] of Object.entries(routes)) {
    const known = to[route];
    if (known === undefined && left-- <= 0) continue;
    to[route] = (known ?? 0) + count;
  }
}

function causeOf({ name, certainty, yourLine, handOver, summary }: Finding): string {
  const places = [yourLine, handOver].map((place) => place && `${place.file}:${place.line}`);
  // Without a line, the counts tell them apart.
  const what = yourLine ? '' : summary.replaceAll(/\d+/g, '');
  return [name, certainty, ...places, what].join('|');
}

function sum(a: Finding, b: Finding): Finding {
  const count = a.count + b.count;
  const more = { count, brokenSpans: a.brokenSpans + b.brokenSpans };
  const summary = a.summary.replace(/ \d+ ×/, ` ${count} ×`);
  if (!a.owner) return { ...a, ...more, summary };
  const evidence = a.owner.evidence.replace(
    /^(?:the callback|each of \d+ callbacks)/,
    () => `each of ${count} callbacks`,
  );
  return { ...a, ...more, summary, owner: ownerOfBoth(a.owner, b.owner, evidence) };
}

type Owner = NonNullable<Finding['owner']>;

function ownerOfBoth(a: Owner, b: Owner | undefined, evidence: string): Owner {
  const others: Record<string, number> = { ...a.others };
  let { count } = a;
  for (const [label, more] of b
    ? [[b.label, b.count] as const, ...Object.entries(b.others ?? {})]
    : []) {
    if (label === a.label) count += more;
    else others[label] = (others[label] ?? 0) + more;
  }
  const owner: Owner = { label: a.label, count, evidence };
  if (Object.keys(others).length > 0) owner.others = others;
  return owner;
}
