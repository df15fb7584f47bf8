import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import { clearTimeout, setTimeout } from 'node:timers';

import { environment } from './base/environment.ts';
import { isBlindTo } from './base/api-versions.ts';
import { messageOf } from './base/errors.ts';
import { sayOnce } from './base/log.ts';
import { readManifest } from './base/manifest.ts';
import { isPackageWanted, onPackage } from './instrumentation/index.ts';
import { OTHER_TOOLS } from './other-tools.ts';
import { runUntraced } from './tracer/owner.ts';

/*
 * What else is loaded that concerns tracing: other tools, copies of the API that do not see each
 * other, libraries that clew does not cover. Nothing is loaded for it.
 */

/** A library without spans, and the package that would make them. */
export interface Uncovered {
  readonly library: string;
  readonly by: string;
}

/** Libraries that clew makes no spans for, and the instrumentations that do. */
const COVERED_BY: Readonly<Record<string, string>> = {
  'aws-sdk': '@opentelemetry/instrumentation-aws-sdk',
  '@smithy/smithy-client': '@opentelemetry/instrumentation-aws-sdk',
  'cassandra-driver': '@opentelemetry/instrumentation-cassandra-driver',
  oracledb: '@opentelemetry/instrumentation-oracledb',
  'socket.io': '@opentelemetry/instrumentation-socket.io',
  tedious: '@opentelemetry/instrumentation-tedious',
};

const API = '@opentelemetry/api';

/** What loads modules past every hook. */
const JEST = 'jest-runtime';

/** The packages that are worth another look when they are loaded. */
const INTERESTING: ReadonlySet<string> = new Set([
  API,
  JEST,
  ...Object.keys(COVERED_BY),
  ...OTHER_TOOLS.flatMap(({ packages }) => packages),
]);

/** The first look is when the libraries of most applications are loaded, in milliseconds. */
const LOOK_MILLIS = 1000;
/** How often one looks again for a tool that is loaded and not initialised, each time twice as late. */
const MAX_PATIENCE = 5;

/**
 * Looks around a moment after the start, and a moment after something of interest was loaded:
 * reports other tools and other copies of the API, and gives `onUncovered` the libraries without
 * spans, each once.
 */
export class Surroundings {
  readonly #seen = new Set<string>();
  readonly #reported = new Set<string>();
  /** Resolved at the start: later, the application's resolve hooks would be called. */
  readonly #ownApi = ownApi();
  readonly #covered: ReadonlySet<string>;
  readonly #onUncovered: (found: readonly Uncovered[]) => void;
  readonly #unsubscribe: () => void;
  #timer: NodeJS.Timeout | undefined;
  #patience = MAX_PATIENCE;

  /** `covered` are names of libraries and of instrumentations. */
  constructor(covered: Iterable<string>, onUncovered: (found: readonly Uncovered[]) => void) {
    this.#covered = new Set(covered);
    this.#onUncovered = onUncovered;
    this.#unsubscribe = onPackage(INTERESTING, (name) => {
      if (this.#seen.has(name)) return;
      this.#seen.add(name);
      if (name === JEST) reportJest();
      this.#lookIn(LOOK_MILLIS);
    });
    this.#lookIn(LOOK_MILLIS);
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#unsubscribe();
  }

  #lookIn(millis: number): void {
    if (this.#timer) return;
    // Our own timers are not traced and do not keep the process alive.
    this.#timer = runUntraced(() => setTimeout(() => this.#look(), millis).unref());
  }

  /** What goes wrong in a timer would end the application. */
  #look(): void {
    this.#timer = undefined;
    try {
      this.#report();
    } catch (error) {
      sayOnce('warn', 'surroundings', `cannot look for other tools: ${messageOf(error)}`);
    }
  }

  #report(): void {
    const loaded = loadedPackages();
    const names = new Set([...loaded.map(nameOf), ...this.#seen]);
    const isUndecided = reportTools(names);
    for (const problem of blindApis(loaded, this.#ownApi)) sayOnce('warn', problem, problem);
    const found = this.#uncovered(names);
    if (found.length > 0) this.#onUncovered(found);
    if (!isUndecided || this.#patience === 0) return;
    this.#patience--;
    this.#lookIn(LOOK_MILLIS * 2 ** (MAX_PATIENCE - this.#patience));
  }

  #uncovered(names: ReadonlySet<string>): Uncovered[] {
    const found = Object.entries(COVERED_BY)
      .map(([library, by]) => ({ library, by }))
      .filter(({ library, by }) => {
        if (!names.has(library) || this.#reported.has(library)) return false;
        return !this.#covered.has(library) && !this.#covered.has(by) && !isPackageWanted(library);
      });
    for (const { library } of found) this.#reported.add(library);
    return found;
  }
}

/** Its workers, which it gives a number, have nothing to add. */
function reportJest(): void {
  if (environment()['JEST_WORKER_ID'] !== undefined) return;
  sayOnce(
    'warn',
    JEST,
    'jest bypasses all hooks when it loads the modules of tests: libraries that they use have no spans; node:http has.',
  );
}

/** Reports each tool that traces, and returns whether one of them has yet to decide. */
function reportTools(names: ReadonlySet<string>): boolean {
  let isUndecided = false;
  for (const tool of OTHER_TOOLS) {
    if (!tool.isPresent?.() && !tool.packages.some((name) => names.has(name))) continue;
    const isTracing = tool.isTracing();
    isUndecided ||= isTracing === undefined;
    if (!isTracing) continue;
    sayOnce(
      'warn',
      `tool:${tool.name}`,
      `${tool.name} also traces: each operation is recorded by both. To choose one: ` +
        `${tool.off}, or OTEL_SDK_DISABLED=true, which keeps clew's contexts alone.`,
    );
  }
  return isUndecided;
}

/** A copy of the API sees globals of its own minor version and of newer ones, not of older ones. */
function blindApis(loaded: readonly string[], own: string | undefined): string[] {
  const ownVersion = own && readManifest(own)?.version;
  // A loader may have put another one in its place, and a bundle has it in itself.
  if (ownVersion === undefined) return [];
  return loaded
    .filter((folder) => nameOf(folder) === API && folder !== own)
    .flatMap((folder) => {
      const version = readManifest(folder)?.version;
      if (!isBlindTo(version, ownVersion)) return [];
      return [
        `${API} ${version} in ${folder} cannot use the ${ownVersion} of clew: spans created by ` +
          `it are lost. Install one version: npm i ${API}@${ownVersion}`,
      ];
    });
}

function ownApi(): string | undefined {
  try {
    return dirname(dirname(dirname(createRequire(import.meta.url).resolve(API))));
  } catch {
    return undefined;
  }
}

/** The folders of the packages that CommonJS has loaded modules of. */
function loadedPackages(): string[] {
  const { cache } = createRequire(import.meta.url);
  const folders = Object.keys(cache).map((file) => {
    return /^.*[\\/]node_modules[\\/](?:@[^\\/]+[\\/])?[^\\/]+/.exec(file)?.[0];
  });
  return [...new Set(folders)].filter((folder) => folder !== undefined);
}

function nameOf(folder: string): string {
  return folder.replaceAll('\\', '/').replace(/^.*\/node_modules\//, '');
}
