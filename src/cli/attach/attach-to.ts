import { randomUUID } from 'node:crypto';
import { chownSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { ClewError, messageOf } from '../../base/errors.ts';
import { say } from '../../base/log.ts';
import { ownFile, packageFolder } from '../../base/own-files.ts';
import type { DoctorSettings, Subject } from '../doctor-subject.ts';
import { callInside } from './inspector.ts';
import { ASK, LEAVE, type AttachSettings } from './line.ts';
import { findTarget } from './target.ts';

/**
 * Puts the doctor into a process that runs already. Its inspector is used for one call, and is closed
 * again where it was not open; after that a socket in a folder of our own is the only connection.
 */
export async function attachTo(
  pid: number,
  inspectorPort: number | undefined,
  settings: DoctorSettings,
): Promise<Subject> {
  const target = findTarget(pid);
  const folder = dirname(settings.report);
  // Run as root, the folder is for the user that the process runs as.
  const { user } = target;
  if (user && process.getuid?.() === 0) chownSync(folder, user.uid, user.gid);
  const line = process.platform === 'win32' ? `\\\\.\\pipe\\${randomUUID()}` : join(folder, 'line');
  const server = createServer();
  const connected = new Promise<Socket>((resolve) => server.once('connection', resolve));
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen({ path: line, writableAll: user !== undefined }, resolve);
  });
  try {
    const port = inspectorPort ?? target.inspectorPort;
    await callInside(target, port, expressionFor({ ...settings, line }));
  } catch (error) {
    server.close();
    if (!/ENOENT|EACCES|EPERM|Cannot find|restricted|ERR_ACCESS/.test(messageOf(error)))
      throw error;
    const own = fileURLToPath(packageFolder(''));
    const needs = `It has to read ${own} and to write to ${folder}`;
    throw new ClewError('ERR_OPTION', `${messageOf(error)} ${needs}.`, { cause: error });
  }
  const socket = await connected;
  server.close();
  say(
    'info',
    `watching process ${pid} (${target.title}). Ctrl-C stops watching; the process runs on.`,
  );
  return subjectAt(socket);
}

function expressionFor(settings: AttachSettings): string {
  const file = fileURLToPath(ownFile('cli/attach/attach-require.cjs'));
  return `require(${JSON.stringify(file)}).attach(${JSON.stringify(settings)})`;
}

function subjectAt(socket: Socket): Subject {
  // What was written when the process ended is in the file.
  const ended = new Promise<{ code: number; signal: null }>((resolve) => {
    socket.once('close', () => resolve({ code: 0, signal: null }));
  });
  socket.on('error', () => undefined).resume();
  return {
    ask: () => void socket.write(ASK),
    end: () => void socket.write(LEAVE),
    giveUp: () => socket.destroy(),
    hasTerminal: false,
    ended,
  };
}
