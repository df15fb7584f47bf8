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
 * Whether a worker thread that is made with `options` loads clew before its own code. Only there may it
 * be given a port: in another thread the port would stay in the data for its own workers, none of which
 * Node could then make.
 */
export function isPreloaded(options: ThreadOptions | null | undefined): boolean {
  if (options?.execArgv !== undefined && options.execArgv !== null) return false;
  if (has(process.execArgv, options)) return true;
  const env = options?.env;
  if (env !== undefined && env !== null && env !== SHARE_ENV) return false;
  return has((environment()['NODE_OPTIONS'] ?? '').split(/\s+/), options);
}

/** Code that is evaluated begins before what `--import` names is there. */
function has(words: readonly string[], options: ThreadOptions | null | undefined): boolean {
  const flags = options?.eval ? /^(?:--require|-r)$/ : /^(?:--require|-r|--import)$/;
  return words.some((word, index) => {
    const [flag = '', value = words[index + 1] ?? ''] = word.split(/=(.*)/s);
    return flags.test(flag) && isRegister(value.replaceAll('"', ''));
  });
}

function isRegister(value: string): boolean {
  if (value === 'clew/register') return true;
  const own = ownFile('register.js');
  return [own.href, own.pathname].some(
    (file) => file === value || file.replace(/js$/, 'cjs') === value,
  );
}
