import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

import { sayOnce } from './base/log.ts';

/*
 * What else is loaded that concerns tracing: other tools, copies of the API that do not see each
 * other, libraries that clew does not cover. All is read from what CommonJS has loaded and from the
 * marks that tools leave on the global object; nothing is loaded for it.
 */

/** Tracers that patch the same libraries, and how each is recognised. */
const TOOLS: readonly { name: string; isLoaded: (packages: ReadonlySet<string>) => boolean }[] = [
  {
    name: 'dd-trace',
    isLoaded: (packages) => isMarked(Symbol.for('dd-trace')) || packages.has('dd-trace'),
  },
  { name: 'Sentry', isLoaded: (packages) => packages.has('@sentry/node') },
  { name: 'New Relic', isLoaded: (packages) => packages.has('newrelic') },
  { name: 'Elastic APM', isLoaded: (packages) => packages.has('elastic-apm-node') },
];

/** Libraries that clew makes no spans for, and the instrumentations that do. */
const COVERED_BY: Readonly<Record<string, string>> = {
  amqplib: '@opentelemetry/instrumentation-amqplib',
  'aws-sdk': '@opentelemetry/instrumentation-aws-sdk',
  '@smithy/smithy-client': '@opentelemetry/instrumentation-aws-sdk',
  'cassandra-driver': '@opentelemetry/instrumentation-cassandra-driver',
  connect: '@opentelemetry/instrumentation-connect',
  express: '@opentelemetry/instrumentation-express',
  fastify: '@fastify/otel',
  '@grpc/grpc-js': '@opentelemetry/instrumentation-grpc',
  graphql: '@opentelemetry/instrumentation-graphql',
  '@hapi/hapi': '@opentelemetry/instrumentation-hapi',
  kafkajs: '@opentelemetry/instrumentation-kafkajs',
  koa: '@opentelemetry/instrumentation-koa',
  '@nestjs/core': '@opentelemetry/instrumentation-nestjs-core',
  oracledb: '@opentelemetry/instrumentation-oracledb',
  restify: '@opentelemetry/instrumentation-restify',
  'socket.io': '@opentelemetry/instrumentation-socket.io',
  tedious: '@opentelemetry/instrumentation-tedious',
};

/** Reports other tools and other copies of the API, each once. */
export function reportSurroundings(): void {
  const loaded = loadedPackages();
  const names = new Set(loaded.map(nameOf));
  for (const { name, isLoaded } of TOOLS) {
    if (!isLoaded(names)) continue;
    sayOnce(
      'warn',
      `tool:${name}`,
      `${name} is loaded, too. Where both trace, each operation is recorded twice: turn the tracing ` +
        `of one off (OTEL_SDK_DISABLED=true keeps clew's contexts alone).`,
    );
  }
  for (const problem of blindApis(loaded)) sayOnce('warn', problem, problem);
}

/** Libraries that are loaded and have no spans, each with the package that would make them. */
export function uncovered(covered: ReadonlySet<string>): { library: string; by: string }[] {
  const names = new Set(loadedPackages().map(nameOf));
  return Object.entries(COVERED_BY)
    .filter(([library, by]) => names.has(library) && !covered.has(library) && !covered.has(by))
    .map(([library, by]) => ({ library, by }));
}

const API = '@opentelemetry/api';

/** A copy of the API sees globals of its own minor version and of newer ones, not of older ones. */
function blindApis(loaded: readonly string[]): string[] {
  const own = dirname(dirname(dirname(createRequire(import.meta.url).resolve(API))));
  const ownVersion = versionAt(own);
  // A loader may have put another one in its place.
  if (ownVersion === undefined) return [];
  return loaded
    .filter((folder) => nameOf(folder) === API && folder !== own)
    .flatMap((folder) => {
      const version = versionAt(folder);
      if (!isBlindTo(version, ownVersion)) return [];
      return [
        `${API} ${version} in ${folder} does not see the ${ownVersion} that clew uses: spans made by ` +
          `it are lost. Install one version: npm i ${API}@${ownVersion}`,
      ];
    });
}

/** @internal */
export function isBlindTo(version: string | undefined, registered: string | undefined): boolean {
  const [major = 0, minor = 0] = numbersOf(version);
  const [ownMajor = 0, ownMinor = 0] = numbersOf(registered);
  return major !== ownMajor || minor > ownMinor;
}

function numbersOf(version: string | undefined): number[] {
  return (version ?? '').split('.').map(Number);
}

function versionAt(folder: string): string | undefined {
  try {
    const text = readFileSync(join(folder, 'package.json'), 'utf8');
    return (JSON.parse(text) as { version?: string }).version;
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

function isMarked(mark: symbol): boolean {
  return (globalThis as Record<symbol, unknown>)[mark] !== undefined;
}
