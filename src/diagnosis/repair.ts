import { basename } from 'node:path';

import { callsAround, offsetOf, type CallAround } from './call-around.ts';
import { calleeNameAt, keepings } from './callee.ts';
import type { Finding, Place, ProposedRule } from './finding.ts';
import { ofTheSameQueue } from './same-queue.ts';

/** What the repair of a finding needs to know about the environment. */
export interface Lookup {
  /** Returns a line of a source file; undefined if it cannot be read. */
  sourceLine(file: string, line: number): string | undefined;
  /** Returns the whole text of a source file. */
  source(file: string): string | undefined;
  /**
   * Returns paths inside a package's exports that lead to `method`, the likeliest first, including
   * functions that may return an object with it.
   */
  pathsTo(packageName: string, method: string): string[];
  /** Whether the sources of a package contain this name, as far as they can be read. */
  mentions(packageName: string, name: string): boolean;
}

const MAX_RULES = 8;
const MAX_CALLS = 3;

export interface RepairHints {
  /** Whether to bind a listener, and not a callback. */
  viaEmitter: boolean;
  /** Whether the code that handed over was on the stack, and is not only known as the creator. */
  isOnStack: boolean;
  /** Whether the application activated another context in the owner's own turn. */
  isSwitched: boolean;
  /** A package called a framework, which called the application's handler. */
  viaTable: boolean;
}

/**
 * Returns the change that repairs a finding: rules to try for a package, otherwise lines to change.
 */
export function repairOf(finding: Finding, hints: RepairHints, lookup: Lookup): Finding['fix'] {
  const { viaEmitter, isSwitched, viaTable } = hints;
  const { kind, yourLine, resource, context } = finding;
  switch (kind) {
    case 'stale': {
      const born = resource?.born ?? yourLine;
      const what = resource?.type === 'Timeout' ? 'start the timer' : 'open the connection';
      const rules = packageRules(finding, 'root', lookup);
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
      if (isSwitched) {
        const text = context?.of
          ? `this activates the context of another ${context.of}: keep the caller's active`
          : "this leaves the request's context: keep the caller's active";
        return { rules: [], change: at(context?.place, text) };
      }
      if (viaTable) return middlewareRules(finding, lookup);
      return {
        rules: packageRules(finding, viaEmitter ? 'emitter' : 'args', lookup),
        change: bindTheCallback(finding, hints, lookup),
      };
    }
  }
}

/** What a package keeps of a framework is the function by which the next handler is called. */
function middlewareRules({ handOver }: Finding, lookup: Lookup): Finding['fix'] {
  const module = handOver?.package ?? '';
  const made = lookup.pathsTo(module, 'next').filter((path) => path.endsWith('()#next'));
  const names = made.map((path) => path.slice(0, -'()#next'.length));
  const paths = [...names.map((name) => `${name}()`), ...names].slice(0, MAX_RULES);
  return {
    rules: paths.map((path) => ({ module, path, rule: 'args' })),
    change: {
      text: `give ${module} a bound function: (req, res, next) => middleware(req, res, AsyncResource.bind(next))`,
    },
  };
}

/**
 * Returns the change of the line that hands the callback over, if known, otherwise of the line in
 * the callback. A queue of the application is best repaired itself, for all its users.
 */
function bindTheCallback(
  finding: Finding,
  hints: RepairHints,
  lookup: Lookup,
): NonNullable<Finding['fix']['change']> {
  const { handOver, yourLine } = finding;
  const call = handingOver(finding, hints, lookup);
  const isKept = handOver?.by === 'application' && !hints.viaEmitter && !call?.isOnce;
  const keeper = isKept ? (lookup.source(handOver.file) ?? '') : '';
  // The callback may be put into a list where it is written.
  const isPut =
    call?.receiver !== undefined && ADDS.has(call.method) && !defines(keeper, call.method);
  const keeping = isKept && !isPut ? bindWhereKept(handOver, keeper) : undefined;
  if (keeping) return keeping;
  if (call?.isOnce) {
    return at(
      yourLine,
      'this runs for all callers: give each item a function of its own, bound by AsyncResource.bind()',
    );
  }
  const place = call && yourLine ? { ...yourLine, line: call.line, column: call.column } : yourLine;
  const isElsewhere = handOver?.by === 'application' && handOver.file !== yourLine?.file;
  const name = call && [call.receiver, call.method].filter(Boolean).join('.');
  const where = isElsewhere
    ? `here, or where ${basename(handOver.file)} keeps it`
    : 'or await a promise';
  if (hints.viaEmitter && (!call || LISTENS.has(call.method))) {
    const on = name ?? 'emitter.on';
    return at(place, `bind the listener: ${on}(event, AsyncResource.bind(listener))`);
  }
  const callback = name ? `the callback of ${name}()` : 'the callback';
  return at(place, `bind ${callback}: AsyncResource.bind(callback), ${where}`);
}

/** Returns the change of the application's own queue: one line, for all its users. */
function bindWhereKept(
  { file, line, column }: Place,
  text: string,
): NonNullable<Finding['fix']['change']> | undefined {
  const kept = keepings(text, calleeNameAt(text, line, column));
  const [first, ...others] = ofTheSameQueue(text, kept, offsetOf(text, line, column));
  if (!first) return undefined;
  const { names } = first;
  const which = names.join(' and ');
  const same = others.filter((other) => other.names.join(' and ') === which);
  const lines = same.map((other) => other.line);
  const more = lines.length > 0 ? `, and at line ${lines.slice(0, MAX_CALLS).join(', ')}` : '';
  const bound = names.map((name) => `AsyncResource.bind(${name})`).join(' and ');
  const themselves = names.length > 1 ? 'themselves' : 'itself';
  const change = at(
    { file, line: first.line, column: 1 },
    `keep ${bound} (node:async_hooks) here, not ${which} ${themselves}${more}`,
  );
  return { ...change, names };
}

/**
 * Returns the call that passed the callback to the code that called it later: a call of the code
 * that is known to have kept it, otherwise of a function in the same file that passed it on or kept
 * it, or of a list.
 */
function handingOver(finding: Finding, hints: RepairHints, lookup: Lookup): CallAround | undefined {
  const { yourLine } = finding;
  if (!yourLine) return undefined;
  const calls = callsAt(yourLine, lookup);
  const call =
    calls.find(toKeeper(finding, hints, lookup)) ?? calls.find(toMaker(finding, hints, lookup));
  if (call && !call.isOnce) return call;
  // A function that was called once received the callback of one request, in a call of its own.
  const inner = calls.find(({ isOnce }) => !isOnce);
  if (call && inner && finding.handOver?.by === 'application') return inner;
  const text = lookup.source(yourLine.file) ?? '';
  const isOwn = ({ method, receiver, isOnce }: CallAround): boolean => {
    if (isOnce) return false;
    if (receiver === undefined) return declares(text, method);
    return ADDS.has(method) || defines(text, method);
  };
  return calls.find(isOwn) ?? call;
}

type CallTest = (call: CallAround) => boolean;

/**
 * Recognises calls of the code that handed over: of an emitter, a package's exports, a file's
 * functions.
 */
function toKeeper({ handOver }: Finding, { viaEmitter }: RepairHints, lookup: Lookup): CallTest {
  if (!handOver) return () => false;
  const { package: module, by, file } = handOver;
  if (viaEmitter) return ({ method }) => LISTENS.has(method);
  if (module) {
    return ({ method }) => lookup.pathsTo(module, method).some((path) => !path.includes('()#'));
  }
  const keeper = by === 'application' ? (lookup.source(file) ?? '') : '';
  return ({ method }) => defines(keeper, method);
}

/**
 * Recognises calls of objects that a package may have created. That is a guess, and the object may
 * be any other: if the package was not on the stack, its file must have a function of that name.
 */
function toMaker({ handOver }: Finding, { isOnStack }: RepairHints, lookup: Lookup): CallTest {
  const module = handOver?.package;
  if (!module) return () => false;
  return ({ method, receiver }) => {
    if (PROMISE_METHODS.has(method)) return false;
    if (!lookup.pathsTo(module, method).some((path) => path.includes('()#'))) return false;
    if (!isOnStack) return defines(lookup.source(handOver.file) ?? '', method);
    return receiver === undefined || lookup.mentions(module, method);
  };
}

/** Whether a source text has a function of this name that is called without a receiver. */
function declares(text: string, name: string): boolean {
  const own = name.replaceAll('$', '\\$');
  const value = '(?:async\\b\\s*)?(?:function\\b|\\(|[\\w$]+\\s*=>)';
  const variable = `(?:const|let|var)\\s+${own}\\s*=\\s*${value}`;
  return new RegExp(`\\bfunction\\b\\*?\\s*${own}\\s*\\(|\\b${variable}`).test(text);
}

/** Whether a source text has a function or method of this name. */
function defines(text: string, name: string): boolean {
  const own = name.replaceAll('$', '\\$');
  // Its parameters and result may have types.
  const taken = '(?:<[^()]*>)?\\s*\\((?:[^()]|\\([^()]*\\))*\\)\\s*(?::[^{};=]+)?';
  const method = `(?:^|[\\s;{},])(?:async\\s+|static\\s+|function\\*?\\s+)*${own}${taken}\\{`;
  const value = `\\b${own}\\s*[:=]\\s*(?:async\\b\\s*)?(?:function\\b|\\(|[\\w$]+\\s*=>)`;
  return new RegExp(`${method}|${value}`, 'm').test(text);
}

function at(
  place: Place | undefined,
  text: string,
): { file?: string; line?: number; text: string } {
  return place ? { file: place.file, line: place.line, text } : { text };
}

/** Methods that take a listener, on any emitter. */
const LISTENS = new Set(
  'on once addListener prependListener addEventListener subscribe listen tap'.split(' '),
);
/** Methods that put a callback into a list, a set or a map. */
const ADDS = new Set(['push', 'unshift', 'add', 'set']);
const PROMISE_METHODS = new Set(['then', 'catch', 'finally']);

type RuleKind = 'args' | 'emitter' | 'root';

/** Rules for the package that handed over, for the methods that the application called. */
function packageRules(
  { handOver, yourLine, resource }: Finding,
  given: RuleKind,
  lookup: Lookup,
): ProposedRule[] {
  const module = handOver?.package;
  const place = given === 'root' ? (resource?.born ?? yourLine) : yourLine;
  if (!module || !place) return [];
  const exact: ProposedRule[] = [];
  const bare: ProposedRule[] = [];
  const guessed: ProposedRule[] = [];
  const own = lookup.source(place.file) ?? '';
  for (const { method, receiver } of callsAt(place, lookup).slice(0, MAX_CALLS)) {
    const kind = given === 'args' && LISTENS.has(method) ? 'emitter' : given;
    const isOwn = receiver === undefined && declares(own, method);
    const paths = lookup
      .pathsTo(module, method)
      .filter((path) => !isOwn || !path.includes('()#'))
      .toSorted((a, b) => Number(isOf(receiver, b)) - Number(isOf(receiver, a)));
    // A bare name that is called may be the export, or the result of the export.
    if (receiver === undefined && paths.some((path) => path.startsWith('default()#'))) {
      bare.push({ module, path: 'default', rule: kind }, { module, path: 'default()', rule: kind });
    }
    for (const path of paths) {
      // That a function of the package created the object is a guess; most have a `then`.
      const isGuess = path.includes('()#');
      if (isGuess && (PROMISE_METHODS.has(method) || !lookup.mentions(module, method))) continue;
      (isGuess ? guessed : exact).push(...rulesFor(module, path, kind));
    }
  }
  const isCalledBare = callsAt(place, lookup)[0]?.receiver === undefined;
  const rest = isCalledBare ? [...bare, ...guessed] : [...guessed, ...bare];
  const isUnknown = given === 'emitter' && exact.length + guessed.length === 0;
  const emitters = isUnknown ? emittersOf(module, lookup) : [];
  return unique([...exact, ...emitters, ...rest]).slice(0, MAX_RULES);
}

/** Whether an object is named after the class of a method: `pool` and `Pool#query`. */
function isOf(receiver: string | undefined, path: string): boolean {
  const [made = '', method] = path.split('#');
  const name = made.toLowerCase();
  return method !== undefined && receiver?.toLowerCase().endsWith(name) === true;
}

/**
 * Rules for all listeners of a package's classes, otherwise of the objects its functions may
 * return.
 */
function emittersOf(module: string, lookup: Lookup): ProposedRule[] {
  const classes: ProposedRule[] = [];
  const made: ProposedRule[] = [];
  for (const method of LISTENS) {
    for (const path of lookup.pathsTo(module, method)) {
      const rule = { module, path: path.replace(/#.*$/, '#'), rule: 'emitter' };
      if (path.includes('()#')) made.push(...(lookup.mentions(module, method) ? [rule] : []));
      else if (path.includes('#')) classes.push(rule);
    }
  }
  return classes.length > 0 ? classes : made;
}

function unique(rules: readonly ProposedRule[]): ProposedRule[] {
  return [...new Map(rules.map((rule) => [JSON.stringify(rule), rule])).values()];
}

function rulesFor(module: string, path: string, kind: RuleKind): ProposedRule[] {
  const rules: ProposedRule[] = [{ module, path, rule: kind }];
  if (kind === 'emitter') rules.push({ module, path: path.replace(/#.*$/, '#'), rule: kind });
  if (kind !== 'args') return rules;
  rules.push({ module, path, rule: 'task' });
  // A worker is passed in when the queue is created, and the item later.
  if (path.includes('()#')) rules.push({ module, path, rule: { kind: 'task', worker: 0 } });
  return rules;
}

/** Whether the line is in a listener that the application passed to a method such as `on`. */
export function isListener(place: Place, lookup: Lookup): boolean {
  return LISTENS.has(callsAt(place, lookup)[0]?.method ?? '');
}

/** Returns the calls around the line, the innermost first. */
export function callsAt(
  { file, line, column }: Pick<Place, 'file' | 'line' | 'column'>,
  lookup: Lookup,
): CallAround[] {
  const text = lookup.source(file);
  return text === undefined ? [] : callsAround(text, line, column);
}
