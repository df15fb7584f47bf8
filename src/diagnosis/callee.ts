/** How the caller obtained the function that it calls at a place in a source text. */
export type CallKind =
  /** Called by its own name: a helper of the caller. */
  | 'by name'
  /** Called from a variable or property, where it was kept. */
  | 'kept'
  /** An argument of a function around the call, which passes it on. */
  | 'passed on';

/** Methods of lists that call a function synchronously for each item. */
const EACH =
  /\.(?:forEach|map|flatMap|filter|some|every|reduce)\(\s*(?:async\s*)?(?:function\s*)?$/;
const NO_CALLS = new Set(['if', 'for', 'while', 'switch', 'catch', 'return', 'await', 'function']);
/** How far before a call its declaration is searched for. */
const MAX_BEFORE = 5000;

/**
 * Determines from a source text how the call at this place obtained the function it calls;
 * undefined if the text does not show it. `name` is the name of the called function, if it has one.
 * `line` and `column` count from 1.
 */
export function callKindAt(
  text: string,
  line: number,
  column: number,
  name: string | undefined,
): CallKind | undefined {
  const lines = text.split('\n', line);
  const code = lines.at(line - 1);
  if (code === undefined || lines.length < line) return undefined;
  const own = name?.split('.').at(-1);
  // A parameter on the same line may have the same name as its argument.
  if (own && isCalledIn(code, own) && !originOf(code.slice(0, column - 1), own)) return 'by name';
  // The result of a call: `queue.shift()()`.
  if (code[column - 1] === '(' && /\)\s*$/.test(code.slice(0, column - 1))) return 'kept';
  const callee = calleeAt(code, column);
  if (callee === undefined) return undefined;
  const head = code.slice(0, callee.start);
  if (callee.isItem || /[.#\]]\s*$/.test(head)) return 'kept';
  return originOf([...lines.slice(0, -1), head].join('\n').slice(-MAX_BEFORE), callee.name);
}

/** Returns the name that is called at a place: `callback` of `item.callback(`. */
export function calleeNameAt(text: string, line: number, column: number): string | undefined {
  return calleeAt(text.split('\n', line).at(line - 1) ?? '', column)?.name;
}

/** A place where the source keeps a parameter. */
export interface Keeping {
  line: number;
  /** Its offset into the text. */
  at: number;
  /** The functions among the parameters that are kept there. */
  names: string[];
}

const PUTS = /\.(?:push|unshift|add|set)\(((?:[^()]|\([^()]*\))*)\)/g;
const ASSIGNS = /(?:\.#?([\w$]+)|\])\s*=\s*([\w$]+|\[[^[\]]*\]|\{[^{}]*\})\s*(?=[;\n])/g;
/** Functions that are already bound. */
const BOUND = /\b(?:AsyncResource|context)\.bind\([^()]*\)/g;
/** Common names of parameters that take a function. */
const FUNCTIONS =
  /^(?:cb|callback|done|next|fn|func|handler|resolve|waiter|listener|task|run|job|action|then|on[A-Z]\w*)$/;
/** A name that is not a property, not a key and not called, with the key before it. */
const NAMES = /(?:([\w$]+)\s*:\s*)?(?<![\w$.'"])([A-Za-z_$][\w$]*)(?!\s*[:(])(?![\w$])/g;

/**
 * Returns the lines that put function parameters into a list, a map or a property. `called` is the
 * name by which one is called later, if known. A function passed to a constructor serves all
 * callers: it counts only if no method keeps anything, and only under the name that is called.
 */
export function keepings(text: string, called: string | undefined): Keeping[] {
  const found: Record<'constructor' | 'function', Keeping[]> = { constructor: [], function: [] };
  for (const pattern of [PUTS, ASSIGNS]) {
    for (const match of text.matchAll(pattern)) {
      const before = text.slice(Math.max(0, match.index - MAX_BEFORE), match.index);
      const names = { constructor: new Set<string>(), function: new Set<string>() };
      for (const [key, name] of namesIn(pattern, match)) {
        const giver = giverOf(before, name);
        const isCalled = name === called || key === called;
        if (giver && (isCalled || (giver === 'function' && isFunction(text, name, key))))
          names[giver].add(name);
      }
      for (const giver of ['constructor', 'function'] as const) {
        if (names[giver].size === 0) continue;
        const { index: at } = match;
        found[giver].push({ line: lineAt(text, at), at, names: [...names[giver]] });
      }
    }
  }
  const kept = found.function.length > 0 ? found.function : found.constructor;
  return kept.toSorted((a, b) => a.line - b.line);
}

/** Returns the parameters kept at a match, each with the property it is kept in. */
function namesIn(pattern: RegExp, match: RegExpMatchArray): [string, string][] {
  const [value = '', property] = pattern === PUTS ? [match[1]] : [match[2], match[1]];
  const isBare = /^[\w$]+$/.test(value);
  const names = value.replaceAll(BOUND, '').matchAll(NAMES);
  return Array.from(names, ([, key, name = '']) => [
    key ?? (isBare ? property : name) ?? name,
    name,
  ]);
}

/**
 * Whether a parameter takes a function, by its name or by the name of the property it is kept in.
 */
function isFunction(text: string, name: string, key: string): boolean {
  return FUNCTIONS.test(name) || new RegExp(`\\.${escaped(key)}\\s*(?:\\?\\.)?\\(`).test(text);
}

const lineAt = (text: string, index: number): number => text.slice(0, index).split('\n').length;

function isCalledIn(code: string, name: string): boolean {
  if (!/^[\w$]+$/.test(name)) return false;
  return new RegExp(`(?<![\\w$])${escaped(name)}\\s*(?:\\?\\.)?\\(`).test(code);
}

interface Callee {
  name: string;
  start: number;
  /** It is an item of a list: `callbacks[i](...)`. */
  isItem: boolean;
}

/** Finds the call at a column: a source map may point to before it, or to its bracket. */
function calleeAt(code: string, column: number): Callee | undefined {
  const call = /([\w$]+)(?:\s*\.\s*(?:call|apply))?\s*(\])?(?:\?\.|!)?\s*\(/g;
  for (let match = call.exec(code); match; match = call.exec(code)) {
    const [whole, name = '', bracket] = match;
    if (match.index + whole.length < column || NO_CALLS.has(name)) continue;
    return { name, start: match.index, isItem: bracket !== undefined };
  }
  return undefined;
}

/** Whether the nearest declaration of a name before its call is a variable or a parameter. */
function originOf(before: string, name: string): CallKind | undefined {
  const { declared, given } = declarationsOf(before, name);
  if (declared === -1 && given === -1) return undefined;
  // The argument of a list's callback was in the list.
  return declared > given || EACH.test(before.slice(0, given)) ? 'kept' : 'passed on';
}

/** Returns where a name is last declared as a variable, and as a parameter; -1 if nowhere. */
function declarationsOf(text: string, name: string): { declared: number; given: number } {
  const own = escaped(name);
  const variable = `\\b(?:const|let|var)\\s+(?:${own}\\b|[[{][^=;]*?(?<![\\w$])${own}\\b)`;
  // Of the last parameter, the body follows; a condition such as `if (callback)` is none.
  const body = '(?:=>|\\{)';
  const after = `(?:[,}](?=[^;]*?${body})|\\)(?=\\s*(?::[^;]*?)?${body}))`;
  const before = '(?<!(?<![\\w$.])(?:if|while|switch|for)\\s*)[(,{]';
  const listed = `${before}\\s*(?:\\w+:\\s*)?${own}\\s*\\??\\s*(?::[^,;{}]*?)?\\s*${after}`;
  const alone = `(?<![\\w$.])${own}\\s*=>`;
  const declared = lastIndex(new RegExp(variable, 'g'), text);
  return { declared, given: lastIndex(new RegExp(`${listed}|${alone}`, 'g'), text) };
}

/** Returns what kind of function has the name as a parameter; undefined if none has. */
function giverOf(before: string, name: string): 'constructor' | 'function' | undefined {
  if (originOf(before, name) !== 'passed on') return undefined;
  let depth = 0;
  for (let at = declarationsOf(before, name).given; at >= 0; at--) {
    if (before[at] === ')') depth++;
    else if (before[at] === '(' && depth-- === 0)
      return /\bconstructor\s*$/.test(before.slice(0, at)) ? 'constructor' : 'function';
  }
  return 'function';
}

function lastIndex(pattern: RegExp, text: string): number {
  let last = -1;
  for (const match of text.matchAll(pattern)) last = match.index;
  return last;
}

const escaped = (name: string): string => name.replaceAll('$', '\\$');
