/** A call that has a callback around a place in a source text. */
export interface CallAround {
  /** The last name: `query` of `pool.query(`. */
  method: string;
  /** The names before it: `pool`. */
  receiver: string | undefined;
  line: number;
  column: number;
  /** Whether the call is outside of any function: it ran once, when the file was loaded. */
  isOnce: boolean;
}

/** Includes calls of Node that carry the context: none of them needs a repair. */
const NOT_CALLS = new Set(
  'if for while switch catch function return await setImmediate setTimeout setInterval nextTick queueMicrotask Promise'.split(
    ' ',
  ),
);

/**
 * Finds the calls that have a function around the given place as an argument, the innermost first,
 * by going back to the open parentheses. It works on text and handles strings and comments. If it
 * is misled, the proposed rule will fail its check.
 *
 * `line` and `column` count from 1.
 */
export function callsAround(text: string, line: number, column: number): CallAround[] {
  const calls: CallAround[] = [];
  const end = offsetOf(text, line, column);
  const open = openBrackets(text, end);
  for (let i = open.length - 1; i >= 0; i--) {
    const at = open[i] as number;
    if (text[at] !== '(') continue;
    // The place is inside a function only if a body is open or an arrow precedes it.
    if (!/=>|\bfunction\b/.test(text.slice(at, end))) continue;
    const name = /([\w$]+(?:\??\.[\w$]+)*)\s*$/.exec(text.slice(Math.max(0, at - 200), at))?.[1];
    if (name === undefined) continue;
    const names = name.split(/\??\./);
    const method = names.pop() as string;
    if (NOT_CALLS.has(method)) continue;
    const before = text.slice(0, at - name.length).split('\n');
    calls.push({
      method,
      receiver: names.at(-1),
      line: before.length,
      column: (before.at(-1)?.length ?? 0) + 1,
      isOnce: !isInFunction(text, open[0] as number, at),
    });
  }
  return calls;
}

/** Whether a function begins between the statement of the outermost bracket and `at`. */
function isInFunction(text: string, outermost: number, at: number): boolean {
  const statement = text.lastIndexOf('\n', outermost) + 1;
  return /=>|\bfunction\b|\)\s*\{/.test(text.slice(statement, at));
}

/** Returns the offset of a place; `line` and `column` count from 1. */
export function offsetOf(text: string, line: number, column: number): number {
  let at = 0;
  for (let left = line - 1; left > 0; left--) {
    const next = text.indexOf('\n', at);
    if (next === -1) return text.length;
    at = next + 1;
  }
  return Math.min(text.length, at + Math.max(0, column - 1));
}

/** Returns the offsets of the brackets that are open at `end`. */
export function openBrackets(text: string, end: number): number[] {
  const open: number[] = [];
  const skip =
    /\/\/[^\n]*|\/\*[^]*?\*\/|'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"|`(?:\\.|[^`\\])*`|[([{}\])]/g;
  for (let match = skip.exec(text); match && match.index < end; match = skip.exec(text)) {
    const [token] = match;
    if (token.length > 1) continue;
    if ('([{'.includes(token)) open.push(match.index);
    else if (')]}'.includes(token)) open.pop();
  }
  return open;
}
