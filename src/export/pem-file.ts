import { closeSync, constants, fstatSync, openSync, readFileSync } from 'node:fs';

const MAX_BYTES = 1024 * 1024;

/**
 * Reads a PEM file and checks that it contains what it should: TLS silently accepts a file without
 * a certificate. Throws an error whose message is to follow the name of the variable. The message
 * contains neither the path nor the text, since a user may have pasted a key in place of the path.
 */
export function readPem(path: string, kind: 'certificate' | 'private key'): string {
  if (path.includes('-----BEGIN')) {
    throw new Error(`has to be the path of a PEM file, but is the content of one`);
  }
  const text = readSmallFile(path);
  const { X509Certificate, createPrivateKey } = process.getBuiltinModule('node:crypto');
  try {
    if (kind === 'certificate') void new X509Certificate(text);
    else createPrivateKey(text);
  } catch {
    throw new Error(`names a file without a readable ${kind}; it is not used`);
  }
  return text;
}

/** Reads a regular file; a pipe or a device, which may never end, is refused. */
function readSmallFile(path: string): string {
  let fd: number | undefined;
  try {
    fd = openSync(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
    const stats = fstatSync(fd);
    if (stats.isFile() && stats.size <= MAX_BYTES) return readFileSync(fd, 'utf8');
  } catch (error) {
    const { code = 'an error' } = error as NodeJS.ErrnoException;
    throw new Error(`names a file that cannot be read (${code})`, { cause: error });
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
  throw new Error('does not name a PEM file');
}
