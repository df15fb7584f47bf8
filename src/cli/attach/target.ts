import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { basename } from 'node:path';

import { ClewError, messageOf } from '../../base/errors.ts';

/*
 * What can be known of a process from outside. Whether it may be sent SIGUSR1 above all: Node answers
 * by opening its inspector, and almost any other program ends.
 */

/** A process to attach to. */
export interface Target {
  pid: number;
  /** Its id as it knows it itself, which differs in a container. */
  ownPid: number;
  /** Its program and first argument, for a person. */
  title: string;
  /** The user it runs as; undefined where that is not known. */
  user: { uid: number; gid: number } | undefined;
  /** Why SIGUSR1 must not be sent to it; undefined where it may be. */
  unsafe: string | undefined;
  /** Where it was told to open its inspector; 0: anywhere. */
  inspectorPort: number;
}

const DEFAULT_PORT = 9229;
const SIGUSR1_BIT = 1n << 9n;

/** Looks at a process; an `ERR_OPTION` says why nothing can be done with it. */
export function findTarget(pid: number): Target {
  if (pid === process.pid) throw refused(pid, 'is this command itself');
  try {
    process.kill(pid, 0);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'EPERM') throw refused(pid, 'does not run');
    throw refused(pid, `belongs to another user${userOf(pid)}. Run the command as that user`);
  }
  if (process.platform === 'linux') return onLinux(pid);
  return process.platform === 'win32' ? onWindows(pid) : onUnix(pid);
}

export const refused = (pid: number, why: string): ClewError =>
  new ClewError('ERR_OPTION', `Process ${pid} ${why}.`);

function onLinux(pid: number): Target {
  let fields: Record<string, string>;
  let args: string[];
  let program: string;
  try {
    fields = Object.fromEntries(
      readFileSync(`/proc/${pid}/status`, 'utf8')
        .split('\n')
        .map((line) => line.split(/:\s+/, 2) as [string, string]),
    );
    args = readWords(`/proc/${pid}/cmdline`);
    program = readlinkSync(`/proc/${pid}/exe`).replace(/ \(deleted\)$/, '');
    const net = readlinkSync(`/proc/${pid}/ns/net`);
    if (net !== readlinkSync('/proc/self/ns/net')) {
      const how = 'docker exec CONTAINER npx clew doctor --pid 1';
      throw refused(pid, `has its own network, as in a container. Run the command there: ${how}`);
    }
  } catch (error) {
    if (error instanceof ClewError) throw error;
    throw refused(pid, `cannot be inspected: ${messageOf(error)}`);
  }
  const numbers = (name: string): number[] => (fields[name] ?? '').split(/\s+/).map(Number);
  const caught = (BigInt(`0x${fields['SigCgt'] || '0'}`) & SIGUSR1_BIT) !== 0n;
  const [uid = 0] = numbers('Uid').slice(1);
  const [gid = 0] = numbers('Gid').slice(1);
  const words = [...args, ...readWords(`/proc/${pid}/environ`, /^NODE_OPTIONS=/)];
  return {
    pid,
    ownPid: numbers('NSpid').at(-1) ?? pid,
    title: titleOf(args),
    user: { uid, gid },
    unsafe: unsafeBecause(program, words, caught),
    inspectorPort: portIn(words),
  };
}

function onUnix(pid: number): Target {
  const ps = (column: string): string =>
    execFileSync('ps', ['-o', `${column}=`, '-p', String(pid)], { encoding: 'utf8' }).trim();
  const args = ps('args').split(/\s+/);
  return {
    pid,
    ownPid: pid,
    title: titleOf(args),
    user: undefined,
    unsafe: unsafeBecause(ps('comm'), args, true),
    inspectorPort: portIn(args),
  };
}

/** Node leaves a mark on Windows, without which nothing is done to a process. */
function onWindows(pid: number): Target {
  const rest = { user: undefined, unsafe: undefined, inspectorPort: DEFAULT_PORT };
  return { pid, ownPid: pid, title: 'node', ...rest };
}

function unsafeBecause(
  program: string,
  args: readonly string[],
  caught: boolean,
): string | undefined {
  const name = basename(program);
  if (!/^node(?:js)?(?:[-.\d]|$)/.test(name) && program !== process.execPath) {
    return `is ${name}, and not Node by its name`;
  }
  if (args.some((arg) => /^(?:NODE_OPTIONS=.*)?--disable[-_]sigusr1\b/.test(arg))) {
    return 'was started with --disable-sigusr1';
  }
  return caught ? undefined : 'does not answer SIGUSR1, or has just begun';
}

/** The port of `--inspect-port` and its like, the last of which holds. */
function portIn(args: readonly string[]): number {
  const option = /--(?:inspect|debug)(?:-port|-brk|-wait)?=(?:\S*:)?(\d+)/g;
  const [, port] = [...args.join(' ').matchAll(option)].at(-1) ?? [];
  return port === undefined ? DEFAULT_PORT : Number(port);
}

function titleOf([program = 'node', ...args]: readonly string[]): string {
  const file = args.find((arg) => arg !== '' && !arg.startsWith('-'));
  return [basename(program), ...(file ? [basename(file)] : [])].join(' ').slice(0, 100);
}

function readWords(file: string, wanted = /^/): string[] {
  try {
    return readFileSync(file, 'utf8')
      .split('\0')
      .filter((word) => wanted.test(word));
  } catch {
    // The environment of another user's process.
    return [];
  }
}

function userOf(pid: number): string {
  try {
    const uid = /^Uid:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
    return uid === undefined ? '' : ` (uid ${uid})`;
  } catch {
    return '';
  }
}

/** The ports of the loopback on which a process listens; undefined where that is not known. */
export function listeningPorts(pid: number): Set<number> | undefined {
  if (process.platform !== 'linux') return undefined;
  try {
    const own = new Set<string>();
    for (const fd of readdirSync(`/proc/${pid}/fd`)) {
      const inode = /^socket:\[(\d+)\]$/.exec(linkOf(`/proc/${pid}/fd/${fd}`))?.[1];
      if (inode) own.add(inode);
    }
    const lines = readFileSync(`/proc/${pid}/net/tcp`, 'utf8').split('\n').slice(1);
    const sockets = lines.map((line) => line.trim().split(/\s+/));
    const listening = sockets.filter(
      ([, , , state, ...rest]) => state === '0A' && own.has(rest[5] ?? ''),
    );
    return new Set(
      listening.map(([, address]) => Number.parseInt(address?.split(':')[1] ?? '', 16)),
    );
  } catch {
    return undefined;
  }
}

function linkOf(file: string): string {
  try {
    return readlinkSync(file);
  } catch {
    // Closed in the meantime.
    return '';
  }
}
