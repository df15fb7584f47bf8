import { mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import type { RequestReport } from '../tracer/async-resource-tracer.ts';
import type { Recorded } from '../tracer/recording/control.ts';
import { readJson } from '../tracer/recording/control.ts';
import { runUntraced } from '../tracer/owner.ts';
import { RequestSums, type RequestTotals } from '../tracer/request-totals.ts';

/*
 * How `clew run` and `clew record` learn what happened in the application: each of its processes
 * writes a file of its own into a folder of the command, now and then and at its end.
 */

/** What one process, or all of them, did. */
export interface RunReport {
  totals: RequestTotals;
  /** The recordings that were finished. */
  recorded: Recorded[];
}

/** The folder is given by this variable. */
const VARIABLE = 'CLEW_RUN_REPORT';
/** The sender of the application looks for it (`export/sender/sender-link.ts`). */
const SILENT_FILE = 'collector-is-silent';
const EVERY_MILLIS = 500;
const MAX_FILES = 200;
const MAX_RECORDED = 20;

/** Gathers what this process does; undefined where no command asks. */
export function openRunReport(env: NodeJS.ProcessEnv = process.env): RunReporter | undefined {
  const folder = env[VARIABLE];
  return folder ? new RunReporter(folder) : undefined;
}

/** Writes the report of this process. Never throws: the command may have ended before. */
export class RunReporter {
  readonly #file: string;
  readonly #sums = new RequestSums();
  readonly #recorded: Recorded[] = [];
  #timer: NodeJS.Timeout | undefined;

  constructor(folder: string) {
    this.#file = join(folder, `${process.pid}.json`);
  }

  add(report: RequestReport): void {
    this.#sums.add(report);
    this.#timer ??= runUntraced(() => setTimeout(() => this.write(), EVERY_MILLIS)).unref();
  }

  addRecorded(recorded: Recorded): void {
    if (this.#recorded.length < MAX_RECORDED) this.#recorded.push(recorded);
    this.write();
  }

  readonly write = (): void => {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const report: RunReport = { totals: this.#sums.totals(), recorded: this.#recorded };
    try {
      writeFileSync(`${this.#file}.new`, JSON.stringify(report), { mode: 0o600 });
      renameSync(`${this.#file}.new`, this.#file);
    } catch {
      // The folder is gone with the command.
    }
  };
}

/** The command's side. */
export class RunReports {
  readonly #folder = mkdtempSync(join(tmpdir(), 'clew-run-'));

  /** What the application needs to write into the folder. */
  get env(): Record<string, string> {
    return { [VARIABLE]: this.#folder };
  }

  /** What all processes reported so far. */
  read(): RunReport {
    const sums = new RequestSums();
    const recorded: Recorded[] = [];
    const files = readdirSync(this.#folder).filter((name) => name.endsWith('.json'));
    for (const file of files.slice(0, MAX_FILES)) {
      const report = readJson<RunReport>(join(this.#folder, file));
      if (!report) continue;
      sums.merge(report.totals);
      recorded.push(...report.recorded);
    }
    return { totals: sums.totals(), recorded };
  }

  /** Has the application not report again that the collector is silent. */
  noteSilentCollector(): void {
    try {
      writeFileSync(join(this.#folder, SILENT_FILE), '', { mode: 0o600 });
    } catch {
      // The application reports it, too.
    }
  }

  remove(): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
