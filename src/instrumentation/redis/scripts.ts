/*
 * The names of scripts and functions that were defined with the client, which has a method for each.
 * `scripts` is by what is sent in their place, the digest and the source; of a script with two names
 * neither is shown. Both are written where scripts are defined, and hold the first thousand.
 */
const MAX_NAMES = 1000;
const scripts = new Map<string, string | undefined>();
const functions = new Set<string>();

const EVALUATING = /^(?:eval|evalsha)(?:_ro)?$/i;
const CALLING = /^fcall(?:_ro)?$/i;
/** What a method may be called; anything else may be a value that somebody put into it. */
const NAME = /^[a-z_$][\w$.:-]{0,63}$/i;
/** BullMQ ends the names of its scripts with its own version, `moveToActive:5.81.5`. */
const VERSION = /[:@-]v?\d+\.\d+\.\d+[\w.+-]*$/;

/** Takes note of a script that was defined as `name`. */
export function noteScript(name: unknown, digest: unknown, source: unknown): void {
  const shown = shownName(name);
  if (shown === undefined || scripts.size >= MAX_NAMES * 2) return;
  for (const sent of [digest, source]) {
    if (typeof sent !== 'string' || sent === '') continue;
    scripts.set(sent, scripts.has(sent) && scripts.get(sent) !== shown ? undefined : shown);
  }
}

/** Takes note of a function of a library that was loaded into the server. */
export function noteFunction(name: unknown): void {
  const shown = shownName(name);
  if (shown === name && functions.size < MAX_NAMES) functions.add(shown as string);
}

/** The name of the script or function that a command runs, where it was defined with the client. */
export function scriptOf(command: string, args: readonly unknown[]): string | undefined {
  if (scripts.size === 0 && functions.size === 0) return undefined;
  const [first] = args;
  if (typeof first !== 'string') return undefined;
  if (EVALUATING.test(command)) return scripts.get(first);
  return CALLING.test(command) && functions.has(first) ? first : undefined;
}

function shownName(name: unknown): string | undefined {
  if (typeof name !== 'string') return undefined;
  const shown = name.replace(VERSION, '');
  return NAME.test(shown) ? shown : undefined;
}
