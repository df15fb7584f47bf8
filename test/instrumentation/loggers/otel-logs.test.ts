import assert from 'node:assert/strict';
import { symlinkSync } from 'node:fs';
import { join } from 'node:path';

import { folderWith, run } from '../../preload/support.ts';
import { installOtelLogs } from './otel-logs-packages.ts';

const CLEW = new URL('../../../package/index.js', import.meta.url).href;
/** Starts clew as docs/logs.md has it, and logs with each library. */
const FILES = {
  'app.mjs': `import { start } from '${CLEW}';
import { trace } from '@opentelemetry/api';
import { logs } from '@opentelemetry/api-logs';
import { BunyanInstrumentation } from '@opentelemetry/instrumentation-bunyan';
import { PinoInstrumentation } from '@opentelemetry/instrumentation-pino';
import { WinstonInstrumentation } from '@opentelemetry/instrumentation-winston';
import {
  InMemoryLogRecordExporter,
  LoggerProvider,
  SimpleLogRecordProcessor,
} from '@opentelemetry/sdk-logs';

const exporter = new InMemoryLogRecordExporter();
logs.setGlobalLoggerProvider(
  new LoggerProvider({ processors: [new SimpleLogRecordProcessor({ exporter })] }),
);
start({
  instrumentations: [
    new PinoInstrumentation(),
    new WinstonInstrumentation(),
    new BunyanInstrumentation(),
  ],
});
const { default: pino } = await import('pino');
const { default: winston } = await import('winston');
const { default: bunyan } = await import('bunyan');
const loggers = {
  pino: pino(),
  winston: winston.createLogger({ transports: [new winston.transports.Console()] }),
  bunyan: bunyan.createLogger({ name: 'bunyan' }),
};
trace.getTracer('test').startActiveSpan('work', (span) => {
  const { traceId, spanId } = span.spanContext();
  for (const [name, logger] of Object.entries(loggers)) logger.info('inside ' + name);
  console.log(JSON.stringify({ ids: { traceId, spanId } }));
});
for (const { body, spanContext, attributes } of exporter.getFinishedLogRecords()) {
  console.log(JSON.stringify({ record: body, spanContext, attributes }));
}\n`,
};

describe('logs beside the official instrumentations and a logs SDK', function () {
  this.timeout(120_000);
  let folder: string;
  let remove: () => void;

  before(() => {
    const modules = join(installOtelLogs(), 'node_modules');
    ({ folder, remove } = folderWith(FILES));
    symlinkSync(modules, join(folder, 'node_modules'));
  });
  after(() => remove());

  it('each line is one record of its span, and has each field once', () => {
    const { stdout, stderr, code } = run(['app.mjs'], { cwd: folder });
    assert.equal(code, 0, stderr);
    const printed = stdout.trim().split('\n');
    const objects = printed.map((line) => JSON.parse(line) as Record<string, any>);
    const { ids } = objects.find((each) => each['ids']) as { ids: Record<string, string> };

    const lines = printed.filter((line) => /"(?:msg|message)":"inside/.test(line));
    assert.equal(lines.length, 3);
    for (const line of lines) {
      for (const field of ['trace_id', 'span_id', 'trace_flags']) {
        assert.equal(line.split(`"${field}":`).length, 2, `${field} in ${line}`);
      }
      assert.equal((JSON.parse(line) as Record<string, string>)['trace_id'], ids['traceId']);
    }

    const records = objects.filter((each) => each['record']);
    assert.deepEqual(
      records.map(({ record, spanContext }) => [record, spanContext.traceId, spanContext.spanId]),
      ['inside pino', 'inside winston', 'inside bunyan'].map((body) => [
        body,
        ids['traceId'],
        ids['spanId'],
      ]),
    );
    for (const { attributes } of records) assert.equal('trace_id' in attributes, false);
  });
});
