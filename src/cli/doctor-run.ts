import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { ClewError } from '../base/errors.ts';
import type { Report } from '../diagnosis/finding.ts';

/** How an application is run under the doctor; kept beside the report, so that it can be repeated. */
export interface DoctorRun {
  /** Arguments of Node, the application and its arguments. */
  program: string[];
  /** A shell command that sends requests; when it ends, the application is ended. */
  traffic?: string | undefined;
  deep?: boolean | undefined;
  /** Seconds after which the application is ended. */
  forSeconds?: number | undefined;
}

export interface DoctorRunOptions extends DoctorRun {
  /** Where the application's standard output goes. */
  stdout: 'inherit' | 'stderr' | 'ignore';
  /** Called with each report while the application runs: on SIGUSR2, and every few seconds. */
  onReport?: ((report: Report) => void) | undefined;
  everySeconds?: number | undefined;
  env?: Record<string, string> | undefined;
}

export interface DoctorResult {
  report: Report | undefined;
  /** How the application ended. */
  code: number | null;
  signal: NodeJS.Signals | null;
  /** It was ended by us or by the person at the terminal, and not by itself. */
  wasEnded: boolean;
}

/** Files through which the application and the command speak. */
const REPORT_FILE = 'report.json';
const SERVING_FILE = 'serving';
const POLL_MILLIS = 100;
/** How long an application may take to end, before it is killed. */
const END_MILLIS = 10_000;

/** Runs an application under the doctor and resolves to its report. */
export async function runDoctor(options: DoctorRunOptions): Promise<DoctorResult> {
  const { program } = options;
  if (program.length === 0) {
    throw new ClewError('ERR_OPTION', 'Which application? Name its file: clew doctor app.js');
  }
  const folder = mkdtempSync(join(tmpdir(), 'clew-doctor-'));
  try {
    return await new Run(options, folder).result();
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

class Run {
  readonly #options: DoctorRunOptions;
  readonly #folder: string;
  readonly #child: ChildProcess;
  #traffic: ChildProcess | undefined;
  #seen = 0;
  #wasEnded = false;
  #kill: NodeJS.Timeout | undefined;

  constructor(options: DoctorRunOptions, folder: string) {
    this.#options = options;
    this.#folder = folder;
    const { program, stdout } = options;
    const early = fileURLToPath(new URL('./doctor-require.cjs', import.meta.url));
    const preload = new URL('./doctor-preload.js', import.meta.url).href;
    // `clew doctor node app.js` is what people type who come from other tools.
    const args = program[0] === 'node' ? program.slice(1) : program;
    this.#child = spawn(process.execPath, ['--require', early, '--import', preload, ...args], {
      stdio: ['inherit', stdout === 'stderr' ? 2 : stdout, 'inherit'],
      env: {
        // A span that lost its parent is what is looked for: it has to be made.
        CLEW_REQUIRE_PARENT: 'false',
        ...process.env,
        ...options.env,
        CLEW_DOCTOR: JSON.stringify(this.#settings()),
      },
    });
  }

  async result(): Promise<DoctorResult> {
    const poll = setInterval(() => this.#poll(), POLL_MILLIS);
    const { forSeconds } = this.#options;
    const end = forSeconds && setTimeout(() => this.#end('SIGTERM'), forSeconds * 1000);
    const forwarded = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
    const forward = (signal: NodeJS.Signals): void => {
      // A terminal sends SIGINT to the whole group: the application has it already.
      if (signal === 'SIGINT' && process.stdin.isTTY) this.#wasEnded = true;
      else this.#end(signal);
    };
    const ask = (): void => void this.#child.kill('SIGUSR2');
    for (const signal of forwarded) process.on(signal, forward);
    process.on('SIGUSR2', ask);
    try {
      const [code, signal] = (await once(this.#child, 'exit')) as [
        number | null,
        NodeJS.Signals | null,
      ];
      return { report: this.#read(), code, signal, wasEnded: this.#wasEnded };
    } finally {
      clearInterval(poll);
      clearTimeout(end || undefined);
      clearTimeout(this.#kill);
      this.#traffic?.kill();
      for (const signal of forwarded) process.off(signal, forward);
      process.off('SIGUSR2', ask);
    }
  }

  #settings(): object {
    const { deep, everySeconds } = this.#options;
    return {
      report: join(this.#folder, REPORT_FILE),
      serving: join(this.#folder, SERVING_FILE),
      deep: deep === true,
      everySeconds,
    };
  }

  #end(signal: NodeJS.Signals): void {
    this.#wasEnded = true;
    this.#child.kill(signal);
    this.#kill ??= setTimeout(() => this.#child.kill('SIGKILL'), END_MILLIS);
  }

  #poll(): void {
    const { traffic, onReport } = this.#options;
    if (traffic !== undefined && !this.#traffic && exists(join(this.#folder, SERVING_FILE))) {
      this.#traffic = spawn(traffic, { shell: true, stdio: ['ignore', 2, 'inherit'] });
      this.#traffic.once('exit', () => this.#end('SIGTERM'));
    }
    if (!onReport) return;
    const at = timeOf(join(this.#folder, REPORT_FILE));
    if (at === 0 || at === this.#seen) return;
    this.#seen = at;
    const report = this.#read();
    if (report) onReport(report);
  }

  #read(): Report | undefined {
    try {
      return JSON.parse(readFileSync(join(this.#folder, REPORT_FILE), 'utf8')) as Report;
    } catch {
      // It was killed, or has not written yet.
      return undefined;
    }
  }
}

function timeOf(file: string): number {
  try {
    return statSync(file).mtimeMs;
  } catch {
    return 0;
  }
}

const exists = (file: string): boolean => timeOf(file) !== 0;
