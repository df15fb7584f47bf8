import { cachedInstall } from '../../support/user-cache.ts';

const PACKAGES = [
  '@opentelemetry/api@1.9.1',
  '@opentelemetry/api-logs@0.223.1',
  '@opentelemetry/sdk-logs@0.223.1',
  '@opentelemetry/instrumentation-pino@0.69.0',
  '@opentelemetry/instrumentation-winston@0.68.1',
  '@opentelemetry/instrumentation-bunyan@0.68.0',
  '@opentelemetry/winston-transport@0.34.0',
  'pino@10.4.0',
  'winston@3.19.0',
  // The newest that the official instrumentation supports.
  'bunyan@1.8.15',
];

/** The folder with the loggers, OpenTelemetry's instrumentations of them and a logs SDK. */
export const installOtelLogs = (): string => cachedInstall('otel-logs-1', PACKAGES);
