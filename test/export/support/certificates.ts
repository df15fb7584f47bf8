import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface Certificates {
  ca: string;
  server: { cert: string; key: string };
  client: { cert: string; key: string };
  /** Servers whose certificate has expired, or is for another host. */
  expired: { cert: string; key: string };
  stranger: { cert: string; key: string };
}

/** A certificate authority with a server and a client, or undefined where there is no openssl. */
export function makeCertificates(): Certificates | undefined {
  const folder = mkdtempSync(join(tmpdir(), 'clew-tls-'));
  const openssl = (...args: string[]): boolean => {
    return spawnSync('openssl', args, { cwd: folder, stdio: 'ignore' }).status === 0;
  };
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  const read = (name: string): string => readFileSync(join(folder, name), 'utf8');
  const issue = (name: string, subject: string, days = '2', names = 'names'): boolean => {
    const request = ['-keyout', `${name}.key`, '-out', `${name}.csr`, '-subj', subject];
    const authority = ['-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial', '-days', days];
    const files = ['-in', `${name}.csr`, '-out', `${name}.pem`, '-extfile', names];
    return openssl('req', ...curve, ...request) && openssl('x509', '-req', ...authority, ...files);
  };
  try {
    writeFileSync(join(folder, 'names'), 'subjectAltName=IP:127.0.0.1');
    writeFileSync(join(folder, 'others'), 'subjectAltName=DNS:elsewhere.example');
    const self = ['-keyout', 'ca.key', '-out', 'ca.pem', '-days', '2', '-subj', '/CN=clew test'];
    if (!openssl('req', '-x509', ...curve, ...self)) return undefined;
    if (!issue('server', '/CN=127.0.0.1') || !issue('client', '/CN=client')) return undefined;
    if (!issue('expired', '/CN=127.0.0.1', '-1')) return undefined;
    if (!issue('stranger', '/CN=elsewhere.example', '2', 'others')) return undefined;
    const pair = (name: string): { cert: string; key: string } => {
      return { cert: read(`${name}.pem`), key: read(`${name}.key`) };
    };
    return {
      ca: read('ca.pem'),
      server: pair('server'),
      client: pair('client'),
      expired: pair('expired'),
      stranger: pair('stranger'),
    };
  } finally {
    rmSync(folder, { recursive: true });
  }
}
