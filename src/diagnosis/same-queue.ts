import { openBrackets } from './call-around.ts';

/*
 * Tells the queues of one file apart. It works on text: it follows names back to where their values
 * came from, as in `const next = this.waiting.shift()`, on the side that calls and on the side that
 * keeps. If it is misled, it prefers nothing.
 */

/** How far before a place the declaration of a name is searched for. */
const MAX_BEFORE = 5000;
const MAX_NAMES = 30;
const WORDS = new Set(
  'this new await null undefined true false return const let var of in if else typeof void yield async Object Array Map Set Promise'.split(
    ' ',
  ),
);

/**
 * Returns those of some places that keep what is called at `call`: where the same list, map or
 * property is named, and of these the ones inside of the same class or function. Each place is an
 * offset into the text.
 */
export function ofTheSameQueue<Kept extends { at: number }>(
  text: string,
  kept: readonly Kept[],
  call: number,
): readonly Kept[] {
  if (kept.length < 2) return kept;
  const called = originsOf(text, call, namesIn(expressionAround(text, call)));
  const named = kept.filter(({ at }) => {
    const names = originsOf(text, at, namesIn(containerBefore(text, at)));
    return [...names].some((name) => called.has(name));
  });
  const candidates = named.length > 0 ? named : kept;
  const open = openBrackets(text, call);
  const depths = candidates.map(({ at }) => shared(openBrackets(text, at), open));
  const deepest = Math.max(...depths);
  return candidates.filter((_, index) => depths[index] === deepest);
}

/** The number of brackets that two places are both inside of. */
function shared(a: readonly number[], b: readonly number[]): number {
  const differs = a.findIndex((bracket, index) => bracket !== b[index]);
  return differs === -1 ? a.length : differs;
}

/** The names at a place, and those that their values came from. */
function originsOf(text: string, place: number, names: readonly string[]): Set<string> {
  const found = new Set<string>();
  const left = names.map((name) => ({ name, before: place }));
  for (let next = left.pop(); next && found.size < MAX_NAMES; next = left.pop()) {
    if (found.has(next.name)) continue;
    found.add(next.name);
    const origin = valueOf(text, next.name, next.before);
    if (!origin) continue;
    for (const name of namesIn(origin.value)) left.push({ name, before: origin.at });
  }
  return found;
}

/** Finds the nearest place before that gives a name its value. */
function valueOf(
  text: string,
  name: string,
  before: number,
): { value: string; at: number } | undefined {
  const start = Math.max(0, before - MAX_BEFORE);
  const part = text.slice(start, before);
  const own = `(?<![\\w$])${name.replaceAll('$', '\\$')}(?![\\w$])`;
  const declared = `(?:const|let|var)\\s+(?:${own}|[[{][^=;]*?${own}[^=;]*?)(?:\\s*:[^=;]+?)?`;
  const patterns = [
    `${declared}\\s*=\\s*([^;\\n]+)`,
    `${declared}\\s+of\\s+([^;{\\n]+)`,
    `([\\w$.#]+(?:\\([^()]*\\))?)\\.(?:forEach|map|some|every)\\(\\s*(?:async\\s*)?(?:function\\s*)?\\(?[^()=]*?${own}`,
  ];
  let last: { value: string; at: number } | undefined;
  for (const pattern of patterns) {
    for (const match of part.matchAll(new RegExp(pattern, 'g'))) {
      if (!last || start + match.index > last.at) {
        last = { value: match[1] ?? '', at: start + match.index };
      }
    }
  }
  return last;
}

/** Names of variables and properties; not those of methods that are called, and no arguments. */
function namesIn(expression: string): string[] {
  let bare = expression;
  for (let before = ''; before !== bare;) {
    before = bare;
    bare = bare.replaceAll(/[\w$]+\s*(?:\?\.)?\([^()]*\)|\[[^[\]]*\]/g, '');
  }
  const names = bare.match(/[A-Za-z_$][\w$]*/g) ?? [];
  return names.filter((name) => !WORDS.has(name));
}

/** What is called at a place: `mail.done` of `mail.done(null)`. */
function expressionAround(text: string, at: number): string {
  const head = /[\w$.#?!()[\]]*$/.exec(text.slice(Math.max(0, at - 200), at))?.[0] ?? '';
  const tail = /^[\w$.#?!]*/.exec(text.slice(at, at + 200))?.[0] ?? '';
  return head + tail;
}

/** What something is put into: `this.waiting` of `this.waiting.push(done)`, `all` of `all[key] =`. */
function containerBefore(text: string, at: number): string {
  const before = text.slice(Math.max(0, at - 200), at);
  if (text[at] === ']') return /([\w$.#]+)\[[^[\]]*$/.exec(before)?.[1] ?? '';
  const head = /[\w$.#?!()[\]]*$/.exec(before)?.[0] ?? '';
  const property = /^\.#?([\w$]+)\s*=/.exec(text.slice(at, at + 200))?.[1] ?? '';
  return `${head} ${property}`;
}
