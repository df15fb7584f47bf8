import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { Writable } from 'node:stream';

import { context } from '@opentelemetry/api';

import { AsyncHooksContextManager } from '../../../src/context/async-hooks-context-manager.ts';
import { getInstrumentations, type Instrumentation } from '../../../src/instrumentation/index.ts';
import type { LoggerConfig } from '../../../src/instrumentation/loggers/logger-instrumentation.ts';
import { cachedInstall } from '../../support/user-cache.ts';
import { IDS, inSpan } from './support.ts';

type Line = Record<string, unknown>;

/** Logs through one library, and what it wrote. */
interface Trial {
  /** A logger of the library, which writes to `lines`. */
  logger: any;
  lines: Line[];
}

const OLD = [
  'pino-7@npm:pino@7.0.0',
  'pino-6@npm:pino@6.14.0',
  'pino-5@npm:pino@5.14.0',
  'winston-3.0@npm:winston@3.0.0',
  'bunyan@2.0.5',
  'bunyan-1@npm:bunyan@1.8.0',
];

/** Options under which lines of pino look otherwise. */
const PINO_OPTIONS: Record<string, object> = {
  'a mixin': { mixin: () => ({ mixed: 1 }) },
  'a mixin of such a field': { mixin: () => ({ trace_id: IDS.trace_id }) },
  formatters: {
    formatters: { level: (label: string) => ({ severity: label }), log: (o: object) => ({ ...o }) },
  },
  'levels of its own': { customLevels: { audit: 35 }, level: 'audit' },
  redaction: { redact: ['password', 'nested.password'] },
  'a nested key': { nestedKey: 'payload' },
  'CR and LF': { crlf: true },
  'keys of its own': { messageKey: 'text', errorKey: 'failure', msgPrefix: '[app] ' },
};

describe('loggers', function () {
  this.timeout(120_000);
  let load: NodeJS.Require;
  let loadOld: NodeJS.Require;
  let enabled: Instrumentation | undefined;

  before(() => {
    load = createRequire(import.meta.url);
    loadOld = createRequire(join(cachedInstall('loggers-2', OLD), 'main.js'));
  });
  beforeEach(() => {
    context.setGlobalContextManager(new AsyncHooksContextManager().enable());
  });
  afterEach(() => {
    enabled?.disable();
    enabled = undefined;
  });

  function enable(name: 'pino' | 'winston' | 'bunyan', config: LoggerConfig = {}): Instrumentation {
    enabled = getInstrumentations({ [name]: config }).find(
      ({ instrumentationName }) => instrumentationName === `clew/${name}`,
    );
    assert.ok(enabled);
    enabled.enable();
    return enabled;
  }

  const makers: [string, 'pino' | 'winston' | 'bunyan', () => Trial][] = [
    ['pino', 'pino', () => pinoTrial(load('pino'))],
    ['pino 7', 'pino', () => pinoTrial(instrumented(loadOld('pino-7')))],
    ['pino 6', 'pino', () => pinoTrial(instrumented(loadOld('pino-6')))],
    ['pino 5.14', 'pino', () => pinoTrial(instrumented(loadOld('pino-5')))],
    ['winston', 'winston', () => winstonTrial(load('winston'))],
    [
      'winston 3.0',
      'winston',
      () => {
        instrumented(loadOld('winston-3.0/lib/winston/logger'));
        return winstonTrial(loadOld('winston-3.0'));
      },
    ],
    ['bunyan', 'bunyan', () => bunyanTrial(loadOld('bunyan'))],
    ['bunyan 1', 'bunyan', () => bunyanTrial(instrumented(loadOld('bunyan-1')))],
  ];

  /** An alias has another name than the package: it is instrumented by hand, as in a bundle. */
  function instrumented(library: any): any {
    enabled?.instrument(library);
    return library;
  }

  it('log a record of winston although one of its getters throws', () => {
    enable('winston');
    const winston = load('winston');
    const written: string[] = [];
    const stream = new Writable({
      write(chunk: Buffer, _encoding, done) {
        written.push(chunk.toString().trim());
        done();
      },
    });
    const format = winston.format.printf(
      ({ message, span_id: id }: Line) => `${String(message)} ${String(id)}`,
    );
    const transports = [new winston.transports.Stream({ stream })];
    const logger = winston.createLogger({ format, transports });
    const record = {
      level: 'info',
      message: 'kept',
      get broken(): string {
        throw new Error('from the getter');
      },
    };
    inSpan(() => logger.write(record) as unknown);
    assert.deepEqual(written, [`kept ${IDS.span_id}`]);
  });

  for (const [title, name, make] of makers) {
    describe(title, () => {
      it('adds the ids of the active span, and nothing without one', () => {
        enable(name);
        const { logger, lines } = make();
        logger.info('outside');
        inSpan(() => logger.info('inside'));
        const [outside, inside] = lines;
        assert.deepEqual(pick(outside), {});
        assert.deepEqual(pick(inside), IDS);
        assert.equal(inside?.['msg'] ?? inside?.['message'], 'inside');
      });

      it('keeps three callers at once apart, and the object that they share as it was', async () => {
        enable(name);
        const { logger, lines } = make();
        // Winston takes a whole record, and writes its level into it.
        const shared =
          name === 'winston' ? { level: 'info', message: 'm', order: 7 } : { order: 7 };
        const before = { ...shared };
        await Promise.all(
          ['1', '2', '3'].map((digit) =>
            inSpan(async () => {
              await new Promise(setImmediate);
              if (name === 'winston') logger.log(shared);
              else logger.info(shared);
            }, digit.repeat(16)),
          ),
        );
        assert.deepEqual(
          lines.map((line) => line['span_id']),
          ['1', '2', '3'].map((digit) => digit.repeat(16)),
        );
        assert.deepEqual(
          { ...shared, [Symbol.for('level')]: undefined },
          { ...before, [Symbol.for('level')]: undefined },
        );
      });

      it('leaves a line that has such a field as it is', () => {
        enable(name);
        const { logger, lines } = make();
        const own = { trace_id: 'mine' };
        inSpan(() => {
          if (name === 'winston') logger.info('own', own);
          else logger.info(own, 'own');
          // Winston has children since 3.2.
          logger.child?.(own).info('child');
        });
        for (const line of lines) {
          assert.deepEqual(pick(line), { ...IDS, trace_id: 'mine' });
        }
        assert.deepEqual(own, { trace_id: 'mine' });
        assert.equal(lines.length, logger.child ? 2 : 1);
      });

      it('leaves a field of null as it is, and fills in one of undefined', () => {
        enable(name);
        const { logger, lines } = make();
        inSpan(() => {
          for (const own of [{ trace_id: null }, { trace_id: undefined }]) {
            if (name === 'winston') logger.log({ level: 'info', message: 'own', ...own });
            else logger.info(own, 'own');
          }
        });
        assert.deepEqual(
          lines.map((line) => line['trace_id']),
          [null, IDS.trace_id],
        );
      });

      it('uses the names it was given, leaves a field out, and stops when it is disabled', () => {
        const instrumentation = enable(name, {
          fields: { traceId: 'dd.trace', spanId: 'sp', traceFlags: false },
        });
        const { logger, lines } = make();
        inSpan(() => logger.info('named'));
        assert.deepEqual(
          [lines[0]?.['dd.trace'], lines[0]?.['sp'], lines[0]?.['trace_flags']],
          [IDS.trace_id, IDS.span_id, undefined],
        );
        instrumentation.disable();
        inSpan(() => logger.info('bare'));
        assert.deepEqual(
          Object.keys(lines[1] ?? {}).filter((key) => /trace|sp/.test(key)),
          [],
        );
      });

      it('logs errors as without it', () => {
        const bare = make();
        log(bare);
        enable(name);
        const traced = make();
        inSpan(() => log(traced));
        assert.deepEqual(
          traced.lines.map((line) => without(line, Object.keys(IDS))),
          bare.lines.map((line) => without(line, [])),
        );
        assert.ok(traced.lines.every((line) => line['trace_id'] === IDS.trace_id));

        function log({ logger }: Trial): void {
          const error = new Error('broken');
          error.stack = 'Error: broken\n    at here';
          logger.error(error);
          if (name === 'winston') logger.error('failed', error);
          else logger.error(error, 'failed');
        }
      });
    });
  }

  it('refuse a configuration that is no good', () => {
    for (const [config, message] of [
      [{ names: {} }, /`config` to be made of enabled, fields, got `names`/],
      [{ fields: { trace: 'x' } }, /`fields` to be made of traceId, spanId, traceFlags/],
      [{ fields: { traceId: 7 } }, /`fields\.traceId` to be a name or false, got `7`/],
    ] as const) {
      assert.throws(
        () => getInstrumentations({ pino: config as unknown as LoggerConfig }),
        message,
      );
    }
  });

  for (const [title, options] of Object.entries(PINO_OPTIONS)) {
    it(`adds to a line of pino with ${title} what it lacks, and changes nothing else`, () => {
      const bare = pinoTrial(load('pino'), options);
      log(bare);
      enable('pino');
      const traced = pinoTrial(load('pino'), options);
      inSpan(() => log(traced));
      assert.ok(bare.lines.length >= 2);
      assert.deepEqual(
        traced.lines.map((line) => without(line, Object.keys(IDS))),
        bare.lines.map((line) => without(line, Object.keys(IDS))),
      );
      for (const line of traced.lines) assert.deepEqual(pick(line), IDS);

      function log({ logger }: Trial): void {
        logger.warn({ password: 'secret', nested: { password: 'secret' } }, 'a text');
        logger.child({ request: 7, password: 'secret' }).error('of a child');
        logger.audit?.('a level of its own');
      }
    });
  }

  it('reads a line of pino only where a field might be there already', () => {
    enable('pino');
    const { logger, lines } = pinoTrial(load('pino'));
    inSpan(() => logger.info({ nested: { trace_id: 'inner' } }, 'a text with "trace_id":"quoted"'));
    assert.deepEqual(pick(lines[0]), IDS);
    assert.deepEqual(lines[0]?.['nested'], { trace_id: 'inner' });
  });
});

function pinoTrial(pino: any, options: object = {}): Trial {
  const lines: Line[] = [];
  const logger = pino(
    { base: null, ...options },
    { write: (text: string) => lines.push(JSON.parse(text)) },
  );
  return { logger, lines };
}

function winstonTrial(winston: any): Trial {
  const lines: Line[] = [];
  const stream = new Writable({
    write: (chunk, _encoding, done) => {
      lines.push(JSON.parse(String(chunk)) as Line);
      done();
    },
  });
  const logger = winston.createLogger({
    format: winston.format.json(),
    transports: [new winston.transports.Stream({ stream })],
  });
  return { logger, lines };
}

function bunyanTrial(bunyan: any): Trial {
  const lines: Line[] = [];
  const stream = { write: (text: string) => lines.push(JSON.parse(text) as Line) };
  return { logger: bunyan.createLogger({ name: 'test', stream }), lines };
}

/** Of a line, the fields with ids. */
function pick(line: Line | undefined): Line {
  return Object.fromEntries(
    Object.keys(IDS).flatMap((key) => (line?.[key] ? [[key, line[key]]] : [])),
  );
}

/** A line without what differs from one to the next. */
function without(line: Line, keys: readonly string[]): Line {
  const varying = ['time', 'timestamp', 'v', ...keys];
  return Object.fromEntries(Object.entries(line).filter(([key]) => !varying.includes(key)));
}
