import { SHARE_ENV } from 'node:worker_threads';

import { environment } from '../../base/environment.ts';
import { ownFile } from '../../base/own-files.ts';

/** What decides whether a new thread begins with clew's preload, of the options of `new Worker`. */
interface ThreadOptions {
  readonly execArgv?: unknown;
  readonly env?: unknown;
  readonly eval?: unknown;
}

/**
 * Whether a worker thread that is made with `options` loads clew before anything else. Only there may it
 * be given a port: in another thread the port would stay in the data for its own workers, none of which
 * Node could then make. Loaders, and preloads that register them, have Node 20 make one at once.
 */
export function isPreloaded(options: ThreadOptions | null | undefined): boolean {
  if (options?.execArgv !== undefined && options.execArgv !== null) return false;
  const words = [...wordsOf(options?.env), ...process.execArgv];
  if (words.some((word) => /^--(?:experimental-)?loader(?:=|$)/.test(word))) return false;
  const required = valuesOf(words, /^(?:--require|-r)$/);
  // Code that is evaluated begins before what `--import` names is there.
  const [first] = options?.eval ? required : [...required, ...valuesOf(words, /^--import$/)];
  return first !== undefined && isRegister(first);
}

/** The words of NODE_OPTIONS in the environment of a new thread. */
function wordsOf(env: unknown): string[] {
  const isOwn = env !== undefined && env !== null && env !== SHARE_ENV;
  const variables = isOwn ? (env as NodeJS.ProcessEnv) : environment();
  const options: unknown = variables['NODE_OPTIONS'];
  return typeof options === 'string' ? options.split(/\s+/) : [];
}

function valuesOf(words: readonly string[], flags: RegExp): string[] {
  return words.flatMap((word, index) => {
    const [flag = '', value = words[index + 1] ?? ''] = word.split(/=(.*)/s);
    return flags.test(flag) ? [value.replaceAll('"', '')] : [];
  });
}

function isRegister(value: string): boolean {
  if (value === 'clew/register') return true;
  const own = ownFile('register.js');
  return [own.href, own.pathname].some(
    (file) => file === value || file.replace(/js$/, 'cjs') === value,
  );
}
