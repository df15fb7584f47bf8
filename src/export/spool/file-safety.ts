import {
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  openSync,
  readSync,
  type Stats,
} from 'node:fs';
import { isAbsolute } from 'node:path';

import { messageOf } from '../../base/errors.ts';
import { makeFolder } from '../../base/make-folder.ts';

/*
 * Spans on disk reveal what an application does, and any user who can write a spool file can forge
 * its telemetry. So a folder is only used if no other user can read or write it, a file is only
 * created if none exists and only read if this user owns it, and a link is never followed. A file
 * or folder that fails a check is left untouched and named in a message.
 */

export const SPOOL_MAGIC: Buffer = Buffer.from('clewspl1');
const FOLDER_MODE = 0o700;
const FILE_MODE = 0o600;
const OTHERS = 0o077;

/** Refused for safety's sake; the message says which file or folder, why, and what to do. */
export class UnsafeSpoolError extends Error {}

/**
 * Creates `folder` if it does not exist, and refuses it if any other user could read or write it.
 */
export function requireSafeFolder(folder: string): void {
  if (!isAbsolute(folder)) throw new UnsafeSpoolError(`${folder} is not an absolute path`);
  try {
    makeFolder(folder, FOLDER_MODE);
  } catch (error) {
    // If a link or a file is in the way, the check below reports it better.
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') {
      throw new UnsafeSpoolError(`${folder} cannot be created (${messageOf(error)})`);
    }
  }
  checkFolder(folder);
}

/** Refuses a folder that is a link, is owned by another user, or is open to other users. */
export function checkFolder(folder: string): void {
  const stats = lstatSync(folder);
  if (stats.isSymbolicLink()) throw new UnsafeSpoolError(`${folder} is a symbolic link`);
  if (!stats.isDirectory()) throw new UnsafeSpoolError(`${folder} is not a folder`);
  checkOwner(folder, stats);
}

function checkOwner(path: string, stats: Stats): void {
  const own = process.getuid?.();
  if (own === undefined) return;
  if (stats.uid !== own) throw new UnsafeSpoolError(`${path} belongs to another user`);
  if ((stats.mode & OTHERS) !== 0) {
    const mode = (stats.mode & 0o777).toString(8).padStart(4, '0');
    throw new UnsafeSpoolError(
      `${path} is open to other users (mode ${mode}); run: chmod go= ${path}`,
    );
  }
}

/** Opens a new file for appending. Throws if the file already exists or is a link. */
export function createFile(path: string): number {
  const { O_WRONLY, O_APPEND, O_CREAT, O_EXCL, O_NOFOLLOW } = constants;
  return openSync(path, O_WRONLY | O_APPEND | O_CREAT | O_EXCL | (O_NOFOLLOW ?? 0), FILE_MODE);
}

/** Reads a range of one of this user's files, or all of it if no length is given. */
export function readFile(path: string, maxBytes: number, offset = 0, length?: number): Buffer {
  const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK } = constants;
  // Opening a pipe to read would wait for a writer.
  const fd = openSync(path, O_RDONLY | (O_NOFOLLOW ?? 0) | (O_NONBLOCK ?? 0));
  try {
    const stats = fstatSync(fd);
    if (!stats.isFile()) throw new UnsafeSpoolError(`${path} is not a file`);
    if (stats.nlink > 1) throw new UnsafeSpoolError(`${path} has a second name (a hard link)`);
    checkOwner(path, stats);
    const wanted = length ?? stats.size - offset;
    if (wanted > maxBytes) {
      throw new UnsafeSpoolError(`${path} is too large for a spool file (${wanted} bytes)`);
    }
    const buffer = Buffer.allocUnsafe(Math.max(0, wanted));
    let read = 0;
    while (read < buffer.length) {
      const got = readSync(fd, buffer, read, buffer.length - read, offset + read);
      if (got === 0) break;
      read += got;
    }
    return buffer.subarray(0, read);
  } finally {
    closeSync(fd);
  }
}
