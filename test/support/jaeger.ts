import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';

import { findBinary } from './find-binary.ts';
import { builtBinary, runGo, type GoProgram } from './go-build.ts';
import { again, freePort, launch, temporaryFolder, type Instance } from './instances.ts';

/**
 * Jaeger 2.13, whose tag 1.76 is the newest that is a version of its Go module. It is built among
 * its own sources, whose go.mod and go.sum pin what it is made of.
 */
export const JAEGER: GoProgram = {
  name: 'Jaeger',
  version: '1.76.0',
  sources(go) {
    const folder = mkdtempSync(join(tmpdir(), 'clew-go-'));
    try {
      const module = `github.com/jaegertracing/jaeger@v${JAEGER.version}`;
      const { Dir } = JSON.parse(runGo(go, ['mod', 'download', '-json', module], folder)) as {
        Dir: string;
      };
      return Dir;
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  },
  main: './cmd/jaeger',
};

const PORTS = ['query', 'queryGrpc', 'otlp', 'otlpGrpc', 'health'] as const;

type Ports = Record<(typeof PORTS)[number], number>;

/** A Jaeger of our own. */
export interface Jaeger extends Instance {
  /** Its query API. */
  queryUrl: string;
  /** Where it listens for OTLP over HTTP. */
  otlpUrl: string;
  /** Ends it and starts it again at the same ports; what it stored is there again. */
  restart(whileAway: () => Promise<void>): Promise<void>;
}

/** Starts a private Jaeger that keeps its traces on disk, or says in a sentence why it cannot. */
export async function startJaeger(): Promise<Jaeger | string> {
  const binary = jaegerBinary();
  if (binary === undefined || !existsSync(binary)) {
    return binary
      ? `JAEGER_BIN names no file: ${binary}`
      : 'no JAEGER_URL, no JAEGER_BIN, no `jaeger` on the PATH, and none built (`npm run build:servers`)';
  }
  return again(() => startBinary(binary));
}

async function startBinary(binary: string): Promise<Jaeger> {
  const storage = temporaryFolder(undefined);
  const ports = {} as Ports;
  for (const name of PORTS) ports[name] = await freePort();
  const start = async (): Promise<Instance> => {
    const folder = temporaryFolder(undefined);
    writeFileSync(join(folder, 'jaeger.yaml'), configuration(ports, storage));
    const args = ['--config', join(folder, 'jaeger.yaml')];
    const ready = /Everything is ready/;
    // It traces its own API, and would end only after trying for ten seconds to send that.
    const env = { OTEL_TRACES_SAMPLER: 'always_off' };
    return launch({ command: binary, args, port: ports.query, folder, ready, env });
  };
  let running = await start();
  const queryUrl = `http://127.0.0.1:${ports.query}`;
  return {
    url: `${queryUrl}?otlp=${ports.otlp}`,
    queryUrl,
    otlpUrl: `http://127.0.0.1:${ports.otlp}`,
    async restart(whileAway) {
      await running.stop();
      await whileAway();
      running = await start();
    },
    async stop() {
      await running.stop();
      rmSync(storage, { recursive: true, force: true });
    },
  };
}

function jaegerBinary(): string | undefined {
  const named = process.env['JAEGER_BIN'];
  return named ?? findBinary(['jaeger'], [join(homedir(), 'go', 'bin')]) ?? builtBinary(JAEGER);
}

function configuration(ports: Ports, storage: string): string {
  const at = (port: number): string => `{endpoint: "127.0.0.1:${port}"}`;
  const directories = `{keys: "${storage}/keys", values: "${storage}/values"}`;
  return `service:
  extensions: [jaeger_storage, jaeger_query, healthcheckv2]
  pipelines: {traces: {receivers: [otlp], processors: [batch], exporters: [jaeger_storage_exporter]}}
  telemetry: {metrics: {level: none}, logs: {level: info}}
extensions:
  healthcheckv2: {use_v2: true, http: ${at(ports.health)}}
  jaeger_query: {storage: {traces: disk}, http: ${at(ports.query)}, grpc: ${at(ports.queryGrpc)}}
  jaeger_storage: {backends: {disk: {badger: {directories: ${directories}, ephemeral: false}}}}
receivers: {otlp: {protocols: {http: ${at(ports.otlp)}, grpc: ${at(ports.otlpGrpc)}}}}
processors: {batch: {timeout: 50ms}}
exporters: {jaeger_storage_exporter: {trace_storage: disk}}
`;
}
