import { cachedInstall } from './user-cache.ts';

/*
 * The tools that clew is compared with, and an application to compare them in, 100 MB each: installed by
 * the first run into the user's cache, at these versions, and never by `npm ci`.
 */
const PACKAGES = {
  express: '5.3.0',
  fastify: '5.12.8',
  pg: '8.23.1',
  ioredis: '6.0.0',
  '@msgpack/msgpack': '3.1.3',
  '@opentelemetry/auto-instrumentations-node': '0.82.0',
  '@sentry/node': '11.12.0',
  'dd-trace': '6.21.0',
};

/** The folder whose `node_modules` holds them. */
export function peersFolder(): string {
  const packages = Object.entries(PACKAGES).map(([name, version]) => `${name}@${version}`);
  return cachedInstall('benchmark-app-1', packages);
}

/** The versions of the tools among them. */
export const PEER_VERSIONS: Readonly<Record<string, string>> = Object.fromEntries(
  Object.entries(PACKAGES).filter(([name]) => /dd-trace|sentry|auto-instr/.test(name)),
);
