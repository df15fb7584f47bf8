import { cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';

import type { Finding, Report } from '../../../src/diagnosis/finding.ts';
import { fixture, RunningNode, type Result } from '../../support/run-node.ts';
import { cachedInstall } from '../../support/user-cache.ts';
import { MAIN } from '../project.ts';

/** What each library is. No rule names one of them; the scenario of each is in the application. */
export const LIBRARIES: Readonly<Record<string, { version: string; what: string }>> = {
  semaphore: { version: '1.1.0', what: 'semaphore' },
  mutexify: { version: '1.4.0', what: 'lock' },
  'async-lock': { version: '1.4.1', what: 'lock' },
  'async-sema': { version: '3.1.1', what: 'semaphore, promises' },
  queue: { version: '6.0.2', what: 'queue of callbacks' },
  'd3-queue': { version: '3.0.7', what: 'queue of callbacks' },
  vasync: { version: '2.2.1', what: 'queue with a worker' },
  'neo-async': { version: '2.6.2', what: 'queue with a worker' },
  'better-queue': { version: '3.8.12', what: 'queue with a store' },
  'seq-queue': { version: '0.0.5', what: 'queue of callbacks' },
  bottleneck: { version: '2.19.5', what: 'rate limiter' },
  'promise-queue': { version: '2.2.5', what: 'queue of promises' },
  'promise-limit': { version: '2.7.0', what: 'limiter of promises' },
  throat: { version: '6.0.2', what: 'limiter of promises' },
  'sequelize-pool': { version: '8.0.0', what: 'pool of Sequelize, promises' },
  eventemitter3: { version: '5.0.4', what: 'emitter' },
  eventemitter2: { version: '6.4.9', what: 'emitter' },
  mitt: { version: '3.0.1', what: 'emitter' },
  emittery: { version: '0.13.1', what: 'emitter, asynchronous' },
  'pubsub-js': { version: '1.9.5', what: 'bus' },
  q: { version: '1.5.1', what: 'promise implementation' },
  when: { version: '3.7.8', what: 'promise implementation' },
  rsvp: { version: '4.8.5', what: 'promise implementation' },
  promise: { version: '8.3.0', what: 'promise implementation' },
  inflight: { version: '1.0.6', what: 'coalesces callbacks' },
  memoizee: { version: '0.4.17', what: 'coalesces callbacks' },
  debounce: { version: '2.2.0', what: 'coalesces calls' },
  dataloader: { version: '2.2.3', what: 'batches, promises' },
  kareem: { version: '2.6.3', what: 'hooks of Mongoose' },
  tapable: { version: '2.3.0', what: 'hooks of webpack' },
  workerpool: { version: '10.0.0', what: 'pool of workers, promises of its own' },
};

export const FOLDER: string = fixture('diagnosis-libraries');
const APPLICATION = join(FOLDER, 'app.cjs');
export const PAGE: string = fixture('../../docs/doctor.md');

export const README: string = fixture('../../README.md');

/** The installed libraries. */
export function installed(): string {
  const packages = Object.entries(LIBRARIES).map(([name, { version }]) => `${name}@${version}`);
  return join(cachedInstall('doctor-libraries-1', packages), 'node_modules');
}

/** Runs scenarios under the doctor, in a folder of their own. */
async function run(args: string[], env: Record<string, string> = {}): Promise<Result> {
  const folder = mkdtempSync(join(tmpdir(), 'clew-libraries-'));
  try {
    cpSync(FOLDER, folder, { recursive: true });
    return await new RunningNode([MAIN, 'doctor', ...args, 'app.cjs'], {
      cwd: folder,
      env: { LIBRARIES: installed(), ...env },
    }).result();
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** The report about all libraries. */
export async function examine(): Promise<Report> {
  const { stdout, stderr } = await run(['--json']);
  try {
    return JSON.parse(stdout) as Report;
  } catch {
    throw new Error(`no report: ${stdout}\n${stderr}`);
  }
}

/** A report as a person sees it, of one library. */
export async function exampleOf(): Promise<string> {
  const { stdout } = await run([], { ONLY: 'semaphore' });
  return `\`\`\`\n${stdout.trimEnd()}\n\`\`\``;
}

/** The finding about a library: that of the line which has its name behind it. */
export function findingOf(name: string, { findings }: Report): Finding | undefined {
  const lines = readFileSync(APPLICATION, 'utf8').split('\n');
  const line = lines.findIndex((text) => text.endsWith(`// ${name}`)) + 1;
  if (line === 0) throw new Error(`${name} has no scenario`);
  return findings.find(
    ({ yourLine }) => yourLine?.line === line && basename(yourLine.file) === basename(APPLICATION),
  );
}

/** The table of what was found in each. */
export function tableOf(report: Report): string {
  const rows = Object.entries(LIBRARIES).map(([name, { version, what }]) => {
    const finding = findingOf(name, report);
    const place = finding?.handOver;
    const file = place?.file.replaceAll('\\', '/').split('/node_modules/').at(-1);
    return [
      `${name} ${version}`,
      what,
      finding ? `\`${finding.name}\`, ${finding.certainty}` : 'nothing: it keeps its callers',
      place ? `\`${file}:${place.line}\`` : '',
    ];
  });
  const head = ['library', 'what it is', 'found', 'handed over at'];
  return [head, head.map(() => '---'), ...rows].map((row) => `| ${row.join(' | ')} |`).join('\n');
}
