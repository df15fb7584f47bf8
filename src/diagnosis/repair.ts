import { callAround } from './call-around.ts';
import type { Finding, Place, ProposedRule } from './finding.ts';

/** What the repair of a finding may ask about the outside. */
export interface Lookup {
  /** A line of a source file, undefined where it cannot be read. */
  sourceLine(file: string, line: number): string | undefined;
  /** The whole text of a source file. */
  source(file: string): string | undefined;
  /**
   * Paths inside a package's exports that lead to `method`, the likeliest first; to functions that
   * may return an object with it, too.
   */
  pathsTo(packageName: string, method: string): string[];
}

const MAX_RULES = 8;

/** The change that repairs a finding: rules to try for a package, else lines to change. */
export function repairOf(
  finding: Finding,
  { viaEmitter }: { viaEmitter: boolean },
  lookup: Lookup,
): Finding['fix'] {
  const { kind, yourLine, resource } = finding;
  switch (kind) {
    case 'stale': {
      const born = resource?.born ?? yourLine;
      const what = resource?.type === 'Timeout' ? 'start the timer' : 'open the connection';
      const rules = packageRules(finding, 'home', lookup);
      return {
        rules,
        change: at(born, `${what} outside: context.with(ROOT_CONTEXT, () => …)`),
      };
    }
    case 'batched':
      return {
        rules: [],
        change: at(yourLine, 'link the batch span to every caller: startSpan(name, { links })'),
      };
    case 'inactive':
      return { rules: [], change: at(yourLine, 'use tracer.startActiveSpan(name, (span) => …)') };
    default: {
      const text = viaEmitter
        ? 'bind the listener: emitter.on(event, AsyncResource.bind(listener))'
        : 'bind the callback: AsyncResource.bind(callback), or await a promise';
      return {
        rules: packageRules(finding, viaEmitter ? 'emitter' : 'args', lookup),
        change: at(yourLine, text),
      };
    }
  }
}

function at(
  place: Place | undefined,
  text: string,
): { file?: string; line?: number; text: string } {
  return place ? { file: place.file, line: place.line, text } : { text };
}

/** Rules for the package that handed over, for the method that the application called. */
function packageRules(
  { handOver, yourLine, resource }: Finding,
  first: 'args' | 'emitter' | 'home',
  lookup: Lookup,
): ProposedRule[] {
  const module = handOver?.package;
  if (!module) return [];
  const place = first === 'home' ? (resource?.born ?? yourLine) : yourLine;
  const method = place && calledMethod(place, lookup);
  if (!method) return [];
  const rules: ProposedRule[] = [];
  for (const path of lookup.pathsTo(module, method)) {
    rules.push({ module, path, rule: first });
    if (first === 'args') rules.push({ module, path, rule: 'task' });
    // A worker is handed over when the queue is made, and the item later.
    const factory = /^(.*\(\))#/.exec(path)?.[1];
    if (first === 'args' && factory) {
      rules.push({ module, path, rule: { kind: 'task', worker: 0 } });
    }
    if (first === 'emitter') rules.push({ module, path: path.replace(/#.*$/, '#'), rule: first });
  }
  return rules.slice(0, MAX_RULES);
}

/** The method whose call the line is inside of, or that it calls. */
function calledMethod({ file, line, column }: Place, lookup: Lookup): string | undefined {
  const text = lookup.source(file);
  return text === undefined ? undefined : callAround(text, line, column)?.method;
}
