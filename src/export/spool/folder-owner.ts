import { readFileSync, statSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { threadId } from 'node:worker_threads';

import { isRunning } from '../../base/is-running.ts';

/*
 * Finds out which process owns a spool folder, and whether it still runs, from the folder's name:
 *
 *   host_pid_start_thread_instance
 *
 * `start` is when the process began, in the kernel's ticks, so that a later process with the same
 * pid is told apart (a container's first process is always number 1). It is 0 if the system does
 * not report it. A folder of another host, on a shared volume, is alive as long as its owner
 * touches the file `alive`.
 */

export const HEARTBEAT_MILLIS = 10_000;
const DEAD_AFTER_MILLIS = 6 * HEARTBEAT_MILLIS;
let instances = 0;

/** A name for the folder of one more delivery in this thread of this process. */
export function instanceFolderName(): string {
  return [hostToken(), process.pid, startOf(process.pid) ?? 0, threadId, ++instances].join('_');
}

/** Whether `name` is an instance's folder whose owner has ended. */
export function isAbandoned(root: string, name: string): boolean {
  const match = /^([A-Za-z0-9.-]+)_(\d+)_(\d+)_\d+_\d+$/.exec(name);
  if (!match) return false;
  const [, host, pidText, start] = match;
  if (host !== hostToken()) return isSilent(join(root, name));
  const pid = Number(pidText);
  if (!isRunning(pid)) return true;
  const runningSince = startOf(pid);
  return start !== '0' && runningSince !== undefined && runningSince !== start;
}

function hostToken(): string {
  return hostname().replace(/[^A-Za-z0-9.-]/g, '-') || 'host';
}

function startOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The second field is the program's name in parentheses and may hold anything.
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
  } catch {
    return undefined;
  }
}

function isSilent(folder: string): boolean {
  const now = Date.now();
  for (const path of [join(folder, 'alive'), folder]) {
    try {
      return now - statSync(path).mtimeMs > DEAD_AFTER_MILLIS;
    } catch {
      // No heartbeat yet: use the folder's own time.
    }
  }
  return false;
}
