import { once } from 'node:events';
import { get, type IncomingMessage } from 'node:http';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';

import { ownFile } from '../../base/own-files.ts';
import type { InspectorAnswer, InspectorCall } from './inspector-call.ts';
import { listeningPorts, refused, type Target } from './target.ts';

/*
 * Runs code in a process through its inspector. Where the inspector is not open, a signal opens it,
 * on the loopback alone; while it is, every user of the machine can get into the process. So it is
 * open for one call, and closed by the process itself as soon as that is over.
 */

const OPEN_MILLIS = 5000;
const CALL_MILLIS = 10_000;
const POLL_MILLIS = 20;

/** The process closes its inspector, which waits until our session has ended. */
const CLOSE = "void setTimeout(require('node:inspector').close, 20).unref()";

/**
 * Evaluates `expression` in a process; what it resolves to may have an `error`. `port` is that of an inspector that is
 * open, or where it will open. An `ERR_OPTION` says why it cannot be done.
 */
export async function callInside(target: Target, port: number, expression: string): Promise<void> {
  const { pid, ownPid } = target;
  const { url, wasOpen } = await inspectorOf(target, port);
  const isRight = `process.pid === ${ownPid}`;
  const answer = await call({
    url,
    expression: `${isRight} ? ${expression} : { other: process.pid }`,
    last: wasOpen ? undefined : `${isRight} && ${CLOSE}`,
    timeoutMillis: CALL_MILLIS,
  });
  const { other, error } = (answer.value ?? answer) as { other?: number; error?: string };
  if (error !== undefined) throw refused(pid, `cannot be watched: ${error}`);
  if (other === undefined) return;
  const whose = `is not the one behind port ${port}, which is process ${other}`;
  throw refused(pid, `${whose}. Name its own by --inspector`);
}

async function inspectorOf(
  target: Target,
  port: number,
): Promise<{ url: string; wasOpen: boolean }> {
  const { pid, unsafe } = target;
  const before = listeningPorts(pid);
  const taken = port === 0 ? undefined : await addressAt(port);
  if (taken && (before === undefined || before.has(port))) return { url: taken, wasOpen: true };
  if (taken) {
    const hint = 'End that one, or start this one with another --inspect-port';
    throw refused(pid, `cannot open its inspector: port ${port} is another process's. ${hint}`);
  }
  if (unsafe) {
    const hint = 'Nothing was sent to it. Start it under the doctor, or with --inspect';
    throw refused(pid, `${unsafe}. ${hint}`);
  }
  openInspector(pid);
  for (const until = performance.now() + OPEN_MILLIS; performance.now() < until;) {
    const open = listeningPorts(pid);
    const ports = before && open ? [...open].filter((one) => !before.has(one)) : [port];
    for (const one of ports) {
      const url = await addressAt(one);
      if (url) return { url, wasOpen: false };
    }
    await sleep(POLL_MILLIS);
  }
  const why = 'it listens for that signal itself, or its event loop or its permissions forbid it';
  throw refused(pid, `opened no inspector on SIGUSR1: ${why}. Start it under the doctor instead`);
}

function openInspector(pid: number): void {
  try {
    if (process.platform !== 'win32') process.kill(pid, 'SIGUSR1');
    // What `node inspect -p` does; it fails where the process is no Node.
    else (process as unknown as { _debugProcess(pid: number): void })._debugProcess(pid);
  } catch {
    throw refused(pid, 'opens no inspector: it is not Node, or was started with --disable-sigusr1');
  }
}

/** The address of the inspector at a port; undefined where there is none. */
async function addressAt(port: number): Promise<string | undefined> {
  try {
    const options = { host: '127.0.0.1', port, path: '/json/list', agent: false };
    const request = get({ ...options, signal: AbortSignal.timeout(1000) });
    const [response] = (await once(request, 'response')) as [IncomingMessage];
    const [first] = JSON.parse(await text(response)) as { webSocketDebuggerUrl?: string }[];
    return first?.webSocketDebuggerUrl;
  } catch {
    return undefined;
  }
}

function call(workerData: InspectorCall): Promise<InspectorAnswer> {
  const worker = new Worker(ownFile('cli/attach/inspector-call.js'), {
    workerData,
    execArgv: ['--experimental-websocket', '--no-warnings'],
  });
  return new Promise((resolve) => {
    worker.once('message', resolve);
    worker.once('error', (error) => resolve({ error: error.message }));
    worker.once('exit', () => resolve({ error: 'the connection to its inspector was lost' }));
  });
}
