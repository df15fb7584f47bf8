import { callsAround, type CallAround } from './call-around.ts';
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
const MAX_CALLS = 3;

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

/** Methods that take a listener, whatever the emitter is of. */
const LISTENS = /^(?:on|once|addListener|prependListener|addEventListener|subscribe|listen|tap)$/;
const PROMISE_METHODS = new Set(['then', 'catch', 'finally']);

type RuleKind = 'args' | 'emitter' | 'home';

/** Rules for the package that handed over, for the methods that the application called. */
function packageRules(
  { handOver, yourLine, resource }: Finding,
  given: RuleKind,
  lookup: Lookup,
): ProposedRule[] {
  const module = handOver?.package;
  const place = given === 'home' ? (resource?.born ?? yourLine) : yourLine;
  if (!module || !place) return [];
  const exact: ProposedRule[] = [];
  const bare: ProposedRule[] = [];
  const guessed: ProposedRule[] = [];
  for (const { method, receiver } of callsAt(place, lookup).slice(0, MAX_CALLS)) {
    const kind = given === 'args' && LISTENS.test(method) ? 'emitter' : given;
    const paths = lookup.pathsTo(module, method);
    // What is called by a bare name may be the export, or what the export returned.
    if (receiver === undefined && paths.some((path) => path.startsWith('default()#'))) {
      bare.push({ module, path: 'default', rule: kind }, { module, path: 'default()', rule: kind });
    }
    for (const path of paths) {
      // That a function of the package makes the object is a guess; most have a `then`.
      const isGuess = path.includes('()#');
      if (isGuess && PROMISE_METHODS.has(method)) continue;
      (isGuess ? guessed : exact).push(...rulesFor(module, path, kind));
    }
  }
  const isCalledBare = callsAt(place, lookup)[0]?.receiver === undefined;
  const rest = isCalledBare ? [...bare, ...guessed] : [...guessed, ...bare];
  return [...exact, ...rest].slice(0, MAX_RULES);
}

function rulesFor(module: string, path: string, kind: RuleKind): ProposedRule[] {
  const rules: ProposedRule[] = [{ module, path, rule: kind }];
  if (kind === 'emitter') rules.push({ module, path: path.replace(/#.*$/, '#'), rule: kind });
  if (kind !== 'args') return rules;
  rules.push({ module, path, rule: 'task' });
  // A worker is handed over when the queue is made, and the item later.
  if (path.includes('()#')) rules.push({ module, path, rule: { kind: 'task', worker: 0 } });
  return rules;
}

/** Whether the line is in a listener that the application gave to a method like `on`. */
export function isListener(place: Place, lookup: Lookup): boolean {
  return LISTENS.test(callsAt(place, lookup)[0]?.method ?? '');
}

/** The calls that the line is inside of, the innermost first. */
function callsAt({ file, line, column }: Place, lookup: Lookup): CallAround[] {
  const text = lookup.source(file);
  return text === undefined ? [] : callsAround(text, line, column);
}
