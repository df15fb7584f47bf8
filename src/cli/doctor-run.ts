import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

import { ClewError } from '../base/errors.ts';
import { say } from '../base/log.ts';
import { attachTo } from './attach/attach-to.ts';
import type { DoctorSettings, Subject } from './doctor-subject.ts';
import type { Report } from '../diagnosis/finding.ts';
import { mergeReports } from '../diagnosis/merge-reports.ts';
import {
  fileAside,
  isBeingWritten,
  processesAside,
  REPORT_FILE,
  reportFiles,
} from './doctor-report.ts';

/** How an application is run under the doctor; kept beside the report, so that it can be repeated. */
export interface DoctorRun {
  /** Arguments of Node, the application and its arguments. */
  program: string[];
  /** Watch this process, which runs already, instead. */
  pid?: number | undefined;
  /** Where that process has its inspector, or will have it. */
  inspectorPort?: number | undefined;
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
  /** How the traffic command failed, if it did. */
  trafficFailure?: string | undefined;
}

/** The file by which the application says that it listens. */
const SERVING_FILE = 'serving';
const POLL_MILLIS = 100;
/** How long processes that the application started are waited for once it has ended. */
const ASIDE_MILLIS = 5000;
/** After this, a person wants to know what is waited for. */
const PATIENCE_MILLIS = 1000;
const ASIDE_POLL_MILLIS = 20;
/** How long an application may take to end, before it is killed. */
const END_MILLIS = 10_000;
/** How long it may take after that to begin a report: on a busy machine a second is too little. */
const LAST_REPORT_MILLIS = 5000;
/** How long it may take to write one that it has begun. */
const WRITING_MILLIS = 30_000;

/** Runs an application under the doctor and resolves to its report. */
export async function runDoctor(options: DoctorRunOptions): Promise<DoctorResult> {
  if (options.program.length === 0 && options.pid === undefined) {
    throw new ClewError('ERR_OPTION', 'Which application? Name its file: clew doctor app.js');
  }
  const folder = mkdtempSync(join(tmpdir(), 'clew-doctor-'));
  try {
    const settings: DoctorSettings = {
      report: join(folder, REPORT_FILE),
      serving: join(folder, SERVING_FILE),
      command: process.pid,
      deep: options.deep === true,
      everySeconds: options.everySeconds,
    };
    const subject =
      options.pid === undefined
        ? startUnderDoctor(options, settings)
        : await attachTo(options.pid, options.inspectorPort, settings);
    return await new Run(options, settings, subject).result();
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function startUnderDoctor(options: DoctorRunOptions, settings: DoctorSettings): Subject {
  const { program, stdout } = options;
  const early = fileURLToPath(new URL('./doctor-require.cjs', import.meta.url));
  const preload = new URL('./doctor-preload.js', import.meta.url).href;
  // `clew doctor node app.js` is what people type who come from other tools.
  const args = program[0] === 'node' ? program.slice(1) : program;
  const child = spawn(process.execPath, ['--require', early, '--import', preload, ...args], {
    stdio: ['inherit', stdout === 'stderr' ? 2 : stdout, 'inherit'],
    env: {
      // A span that lost its parent is what is looked for: it has to be made.
      CLEW_REQUIRE_PARENT: 'false',
      ...process.env,
      ...options.env,
      CLEW_DOCTOR: JSON.stringify(settings),
    },
  });
  return {
    ask: () => void child.kill('SIGUSR2'),
    end: (signal) => void child.kill(signal),
    giveUp: () => void child.kill('SIGKILL'),
    hasTerminal: true,
    ended: once(child, 'exit').then(([code, signal]) => ({
      code: code as number | null,
      signal: signal as NodeJS.Signals | null,
    })),
  };
}

class Run {
  readonly #options: DoctorRunOptions;
  readonly #settings: DoctorSettings;
  readonly #subject: Subject;
  #traffic: ChildProcess | undefined;
  readonly #trafficEnd: { code: number | null } = { code: null };
  #seen = 0;
  #wasEnded = false;
  #hasEnded = false;
  #isImpatient = false;
  #kill: NodeJS.Timeout | undefined;

  constructor(options: DoctorRunOptions, settings: DoctorSettings, subject: Subject) {
    this.#options = options;
    this.#settings = settings;
    this.#subject = subject;
  }

  async result(): Promise<DoctorResult> {
    const poll = setInterval(() => this.#poll(), POLL_MILLIS);
    const { forSeconds } = this.#options;
    const end = forSeconds && setTimeout(() => this.#end('SIGTERM'), forSeconds * 1000);
    const forwarded = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
    const forward = (signal: NodeJS.Signals): void => {
      // A terminal sends SIGINT to the whole group: the application has it already.
      const hasIt = signal === 'SIGINT' && process.stdin.isTTY && this.#subject.hasTerminal;
      if (this.#hasEnded) {
        this.#isImpatient = true;
        return;
      }
      if (!hasIt) return this.#end(signal);
      // A loop that never ends does not hear it; one who asks twice means it.
      if (this.#wasEnded) this.#giveUpLater();
      this.#wasEnded = true;
    };
    const ask = (): void => this.#subject.ask();
    for (const signal of forwarded) process.on(signal, forward);
    process.on('SIGUSR2', ask);
    try {
      const { code, signal } = await this.#subject.ended;
      await this.#asideEnded();
      const { code: failed } = this.#trafficEnd;
      const trafficFailure = failed ? `with exit code ${failed}` : undefined;
      return { report: this.#read(), code, signal, wasEnded: this.#wasEnded, trafficFailure };
    } finally {
      clearInterval(poll);
      clearTimeout(end || undefined);
      clearTimeout(this.#kill);
      this.#traffic?.kill();
      for (const signal of forwarded) process.off(signal, forward);
      process.off('SIGUSR2', ask);
    }
  }

  /** Waits for the last reports of processes that the application started; another signal ends that. */
  async #asideEnded(): Promise<void> {
    const folder = dirname(this.#settings.report);
    const since = performance.now();
    let isReported = false;
    this.#hasEnded = true;
    for (;;) {
      const left = processesAside(folder);
      const millis = performance.now() - since;
      const isWriting = left.some((pid) => isBeingWritten(fileAside(folder, pid)));
      const most = isWriting ? WRITING_MILLIS : ASIDE_MILLIS;
      if (left.length === 0 || millis > most || this.#isImpatient) return;
      if (!isReported && millis > PATIENCE_MILLIS) {
        isReported = true;
        const which =
          left.length === 1 ? `process ${left[0]} runs` : `${left.length} processes run`;
        say('info', `the application has ended, and ${which} on; waiting for the last report.`);
      }
      await sleep(ASIDE_POLL_MILLIS);
    }
  }

  #end(signal: NodeJS.Signals): void {
    if (this.#hasEnded) return;
    this.#wasEnded = true;
    this.#subject.end(signal);
    this.#giveUpLater();
  }

  #giveUpLater(): void {
    this.#kill ??= setTimeout(() => {
      // It may listen for the signal and never exit, as some tracers make it do.
      const since = performance.now();
      const { report } = this.#settings;
      const before = timeOf(report);
      this.#subject.ask();
      const look = (): void => {
        const millis = performance.now() - since;
        const isWriting = isBeingWritten(report);
        const isDone = !isWriting && timeOf(report) !== before;
        if (isDone || millis > (isWriting ? WRITING_MILLIS : LAST_REPORT_MILLIS)) {
          this.#giveUp(END_MILLIS + millis);
        } else this.#kill = setTimeout(look, ASIDE_POLL_MILLIS);
      };
      look();
    }, END_MILLIS);
  }

  #giveUp(millis: number): void {
    if (this.#subject.hasTerminal) {
      const seconds = Math.round(millis / 1000);
      say('warn', `the application did not end within ${seconds} s of the signal, and was killed.`);
    }
    this.#subject.giveUp();
  }

  #poll(): void {
    const { traffic, onReport } = this.#options;
    if (traffic !== undefined && !this.#traffic && exists(this.#settings.serving)) {
      this.#traffic = spawn(traffic, { shell: true, stdio: ['ignore', 2, 'inherit'] });
      this.#traffic.once('exit', (code) => {
        this.#trafficEnd.code = code;
        this.#end('SIGTERM');
      });
    }
    if (!onReport) return;
    const at = timeOf(this.#settings.report);
    if (at === 0 || at === this.#seen) return;
    this.#seen = at;
    const report = this.#read();
    if (report) onReport(report);
  }

  /** What was reported so far; undefined where it was killed, or has not written yet. */
  #read(): Report | undefined {
    return mergeReports(this.#files().flatMap((file) => readReport(file) ?? []));
  }

  #files(): string[] {
    return reportFiles(dirname(this.#settings.report));
  }
}

function readReport(file: string): Report | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Report;
  } catch {
    return undefined;
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
