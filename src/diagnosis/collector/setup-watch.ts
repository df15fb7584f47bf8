import { createRequire } from 'node:module';
import { resolve } from 'node:path';

import satisfies from 'semver/functions/satisfies.js';

import { isBlindTo } from '../../base/api-versions.ts';
import { environment } from '../../base/environment.ts';
import { isDefaultTarget } from '../default-targets.ts';
import type { SetupFact } from '../record.ts';
import { apiRegistry } from './api-registry.ts';
import { packagesInside } from './bundle.ts';
import { ClewNotes } from './clew-notes.ts';
import { DiagWatch } from './diag-watch.ts';
import { ExportWatch } from './export-watch.ts';
import { InstrumentationWatch, isPatched, type ModuleDefinition } from './instrumentation-watch.ts';
import { hasImportHook, loadedPackages, type LoadedPackage } from './loaded-modules.ts';

const API = '@opentelemetry/api';
const INSTRUMENTATION = /^@opentelemetry\/instrumentation-(.+)$/;
/** Readable names for the parts of the API that are registered. */
const PARTS: Readonly<Record<string, string>> = {
  trace: 'a tracer provider',
  context: 'a context manager',
  propagation: 'a propagator',
};

/**
 * Watches how tracing is set up: unread reports of OpenTelemetry's own parts, where spans are sent,
 * and how modules were loaded.
 */
export class SetupWatch {
  readonly #diag = new DiagWatch();
  readonly #exports = new ExportWatch();
  readonly #instrumentations = new InstrumentationWatch();
  readonly #clew: ClewNotes;

  /** `onFailure` is called when clew's own export fails. */
  constructor(onFailure: () => void) {
    this.#clew = new ClewNotes(onFailure);
  }

  start(): void {
    this.#diag.start();
    this.#exports.start();
    this.#instrumentations.start();
    this.#clew.start();
  }

  stop(): void {
    this.#clew.stop();
    this.#instrumentations.stop();
    this.#diag.stop();
    this.#exports.stop();
  }

  /**
   * Returns the faults of the set-up found so far. Reads files, so do not call it on a hot path.
   */
  facts(): SetupFact[] {
    const packages = loadedPackages();
    const parts: (() => SetupFact[])[] = [
      () => this.#registrations(),
      () => apiCopies(packages),
      () => this.#uninstrumented(packages),
      () => [...this.#exportFaults(), ...this.#clew.failures].map(markedIfDefault),
      () => [...this.#clew.early],
    ];
    return parts.flatMap((part) => {
      try {
        return part();
      } catch {
        // Files that cannot be read are ignored.
        return [];
      }
    });
  }

  #registrations(): SetupFact[] {
    const facts: SetupFact[] = [];
    for (const [part, stack] of this.#diag.refused) {
      const what = PARTS[part];
      // One set-up registers its parts together, so reporting the provider is enough.
      const isSaid = part !== 'trace' && this.#diag.refused.has('trace');
      if (what && !isSaid) facts.push({ fault: 'second-provider', what, stack });
    }
    for (const [version, holds] of this.#diag.mismatched) {
      const expected = `what it registers is refused, as ${API} ${holds} registered before`;
      facts.push({ fault: 'version', package: API, version, expected });
    }
    return facts;
  }

  /** Modules that an instrumentation should have patched, but that were loaded unpatched. */
  #uninstrumented(packages: readonly LoadedPackage[]): SetupFact[] {
    const facts: SetupFact[] = [];
    const enabled = [...this.#instrumentations.enabled, ...this.#clew.enabled];
    const entry = resolve(process.argv[1] ?? '');
    const modules = enabled.flatMap((one) => one.modules);
    const patched = new Set(modules.filter(isPatched).map(({ name }) => name));
    const inside = bundled(entry, modules, packages).filter((name) => !patched.has(name));
    if (inside.length > 0) facts.push({ fault: 'bundled', entry, packages: inside });
    const imported: string[] = [];
    for (const { name, version, isWhole, isRequired, dependencies, isForTools } of packages) {
      if (isForTools) continue;
      const wanting = enabled.filter((one) => one.modules.some((module) => module.name === name));
      // Some are patched in the package that implements them.
      if (!isWhole || !wanting[0] || [name, ...dependencies].some((one) => patched.has(one)))
        continue;
      const expected = modules.filter((module) => module.name === name);
      if (!expected.some((module) => takes(module, version))) {
        const versions = expected.flatMap((module) => module.supportedVersions ?? []);
        const ranges = [...new Set(versions)].join(' || ');
        const text = `${wanting[0].name} takes ${ranges || 'none'}`;
        facts.push({ fault: 'version', package: name, version, expected: text });
        continue;
      }
      const late = wanting.find((one) => one.late.includes(name));
      if (!isRequired && !hasImportHook()) imported.push(name);
      else if (late) {
        const { stack } = late;
        facts.push({ fault: 'loaded-early', package: name, instrumentation: late.name, stack });
      }
    }
    if (imported.length > 0) facts.push({ fault: 'esm-hook', packages: imported, entry });
    return facts;
  }

  #exportFaults(): SetupFact[] {
    const { targets } = this.#exports;
    const { exportFailures, exportReason } = this.#diag;
    if (targets.length === 0 && exportFailures > 0) {
      const reason = exportReason ?? 'no reason given';
      const isAbsent = /ECONNREFUSED|ENOTFOUND|UNAVAILABLE/.test(reason);
      const fault = isAbsent ? 'no-collector' : 'export-fails';
      return [{ fault, target: 'the collector', reason, count: exportFailures }];
    }
    return targets
      .filter(({ accepted, failed }) => failed > accepted)
      .map(({ target, reason, failed, accepted, isAbsent }) => ({
        fault: isAbsent && accepted === 0 ? 'no-collector' : 'export-fails',
        target,
        reason,
        count: failed,
      }));
  }
}

/** The fact, and whether its address is the default, which nothing but the exporter chose. */
function markedIfDefault(fact: SetupFact): SetupFact {
  const isDefault = fact.fault === 'no-collector' && isDefaultTarget(fact, environment());
  return isDefault ? { ...fact, isDefault } : fact;
}

/** Copies of the API, where one of them does not see what was registered. */
function apiCopies(packages: readonly LoadedPackage[]): SetupFact[] {
  const registered = apiRegistry()?.version;
  if (registered === undefined || apiRegistry()?.trace === undefined) return [];
  const own = createRequire(import.meta.url).resolve(API);
  const copies = packages
    .filter(({ name }) => name === API)
    .map(({ folder, version }) => ({
      path: folder,
      version,
      works: !isBlindTo(version, registered),
    }));
  // The doctor's own copy is not part of the application.
  const broken = copies.filter(({ path, works }) => !works && !own.startsWith(path));
  return broken.length > 0 ? [{ fault: 'api-copies', copies }] : [];
}

/** Bundled packages that an instrumentation would have to observe being loaded. */
function bundled(
  entry: string,
  wanted: readonly ModuleDefinition[],
  packages: readonly LoadedPackage[],
): string[] {
  const inside = packagesInside(entry);
  const names = new Set(wanted.map(({ name }) => name));
  for (const name of inside) {
    const covered = INSTRUMENTATION.exec(name)?.[1];
    if (covered) names.add(covered);
  }
  const loaded = new Set(packages.map(({ name }) => name));
  return [...inside].filter((name) => names.has(name) && !loaded.has(name));
}

function takes({ supportedVersions = [] }: ModuleDefinition, version: string): boolean {
  const { length } = supportedVersions;
  return (
    length === 0 ||
    supportedVersions.some((range) => satisfies(version, range, { includePrerelease: true }))
  );
}
