import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { Writable } from 'node:stream';

import { context, ROOT_CONTEXT, trace, TraceFlags } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { registerInstrumentations, type Instrumentation } from '@opentelemetry/instrumentation';

import { getInstrumentations } from '../../src/instrumentation/index.ts';
import { installOtelLogs } from '../../test/instrumentation/loggers/otel-logs-packages.ts';
import type { BenchmarkGroup, Prepared } from '../harness/group.ts';

type Write = (line: string) => void;
interface Logger {
  info(fields: object, message: string): void;
}

/** A logger that hands its lines to `write`; `load` is the library's package. */
interface LoggerCase {
  name: 'pino' | 'winston' | 'bunyan';
  official: [module: string, name: string];
  // oxlint-disable-next-line typescript/no-explicit-any
  open(this: void, load: any, write: Write): Logger;
}

const LOGGERS: readonly LoggerCase[] = [
  {
    name: 'pino',
    official: ['@opentelemetry/instrumentation-pino', 'PinoInstrumentation'],
    open: (pino, write) => pino({}, { write }),
  },
  {
    name: 'winston',
    official: ['@opentelemetry/instrumentation-winston', 'WinstonInstrumentation'],
    open({ createLogger, transports }, write) {
      const stream = new Writable({
        write(chunk: Buffer, _encoding, done) {
          write(chunk.toString());
          done();
        },
      });
      const logger = createLogger({ transports: [new transports.Stream({ stream })] });
      return { info: (fields, message) => logger.info(message, fields) };
    },
  },
  {
    name: 'bunyan',
    official: ['@opentelemetry/instrumentation-bunyan', 'BunyanInstrumentation'],
    open: ({ createLogger }, write) =>
      createLogger({ name: 'bench', streams: [{ stream: { write } }] }),
  },
];

/** The context of a request that is traced. */
const REQUEST = trace.setSpanContext(ROOT_CONTEXT, {
  traceId: '0af7651916cd43dd8448eb211c80319c',
  spanId: 'b7ad6b7169203331',
  traceFlags: TraceFlags.SAMPLED,
});

async function prepare({ name, official, open }: LoggerCase, variant: string): Promise<Prepared> {
  const require = createRequire(join(installOtelLogs(), 'package.json'));
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  if (variant === 'clew') {
    getInstrumentations()
      .find(({ instrumentationName }) => instrumentationName === `clew/${name}`)
      ?.enable();
  } else if (variant === 'official') {
    const [module, className] = official;
    const exported = require(module) as Record<string, new (config: object) => Instrumentation>;
    // Its other half sends each line to a logs SDK, which this package does not.
    const made = new exported[className]!({ disableLogSending: true });
    registerInstrumentations({ instrumentations: [made] });
  }
  let lines = 0;
  let last = '';
  const logger = open(require(name), (line) => {
    lines += 1;
    last = line;
  });
  const log = (): void => logger.info({ order: 7 }, 'paid');
  return {
    async preflight() {
      context.with(REQUEST, log);
      await new Promise(setImmediate);
      assert.equal(last.includes('0af7651916cd43dd8448eb211c80319c'), variant !== 'bare', last);
    },
    run: (count) =>
      context.with(REQUEST, async () => {
        const [before, had] = [process.cpuUsage(), lines];
        for (let index = 0; index < count; index += 1) log();
        await new Promise(setImmediate);
        const { user, system } = process.cpuUsage(before);
        assert.equal(lines - had, count);
        return user + system;
      }),
    count: 20_000,
    close: async () => undefined,
  };
}

export const group: BenchmarkGroup = {
  description:
    'one line with a field, written to nowhere, in the context of a traced request: the library bare, with the ids of the span by this package, and by the package of OpenTelemetry without its sending',
  mark: 'bench-loggers',
  variants: ['bare', 'clew', 'official'],
  baseline: 'bare',
  ours: ['clew'],
  peers: ['official'],
  quick: { cases: ['pino info'] },
  cases: LOGGERS.map((found) => ({
    name: `${found.name} info`,
    unit: 'us CPU',
    prepare: (variant: string) => prepare(found, variant),
  })),
};
