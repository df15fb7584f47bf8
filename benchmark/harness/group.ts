import type { ServiceName } from '../../test/support/services.ts';

/*
 * What a benchmark is. A file in `benchmark/groups/` exports one `group`; nothing else has to know
 * it. `npm run bench -- <group>` runs it and writes its tables.
 */

/** Cases measured for the same variants, each against the same baseline. */
export interface BenchmarkGroup {
  /** One sentence: what is compared, and what the numbers mean. */
  description: string;
  /** Begins and ends the tables of the group in the documents that show them. */
  mark: string;
  /** The variants, in the order of the table. */
  variants: readonly string[];
  /** The variant the ratios refer to. */
  baseline: string;
  cases: readonly BenchmarkCase[];
  /** Those of this package, and those of others that they compete with. */
  ours?: readonly string[];
  peers?: readonly string[];
  /** Servers that have to run before the module of the group is loaded. */
  services?: readonly ServiceName[];
  /** The lines of Node it is measured on; 24 alone if not said. */
  nodes?: readonly string[];
  /** Rounds of each case; 15 if not said. They are spread over three generations of processes. */
  rounds?: number;
  /** What `--quick` measures: all of it in three rounds where nothing else is said. */
  quick?: Quick;
  /** How Node is started for a variant; with the options that keep noise away if not said. */
  launch?(variant: string): Launch;
  /** The tables of the group, where those that all groups have do not do. */
  render?: 'context' | 'metrics' | 'parts';
}

export interface Quick {
  /** The names of the cases; all if not said. */
  cases?: readonly string[];
  variants?: readonly string[];
  nodes?: readonly string[];
  rounds?: number;
}

export interface Launch {
  execArgv: readonly string[];
  env?: Readonly<Record<string, string>>;
  cwd?: string;
}

export interface BenchmarkCase {
  name: string;
  /** Leaves out variants that have no such operation. */
  variants?: readonly string[];
  /** What one operation costs is given in this unit; nanoseconds of CPU if not said. */
  unit?: string;
  /** Units by the names of what is measured, where a sample has several results. */
  metrics?: Readonly<Record<string, string>>;
  /** Called once, in the process of its own that each case and variant has. */
  prepare(variant: string): Prepared | Promise<Prepared>;
}

/** Results of a sample by the names of `metrics`, each of one operation. */
export type Metrics = Readonly<Record<string, number>>;

export interface Prepared {
  /** Throws if the variant does not do what is measured. Runs before anything is timed. */
  preflight(): void | Promise<void>;
  /**
   * Does the operation `count` times. A number that it returns is the cost of all of them in the
   * case's unit; otherwise the harness takes the CPU time. A case with metrics returns those.
   */
  run(count: number): void | number | Metrics | Promise<void | number | Metrics>;
  /** Samples that are not counted, where five are too few for the compiler to settle. */
  warmUps?: number;
  /** Operations of one sample, where the harness should not find that out by itself. */
  count?: number;
  close?(): void | Promise<void>;
}
