import { bunyan } from './bunyan.ts';
import type { LoggerDefinition } from './logger.ts';
import { pino } from './pino.ts';
import { winston } from './winston.ts';

/** The loggers by their names in configuration. */
export type LoggerName = 'pino' | 'winston' | 'bunyan';

/** Every logger, in the order of the documentation. */
export const LOGGERS: Readonly<Record<LoggerName, LoggerDefinition>> = { pino, winston, bunyan };
