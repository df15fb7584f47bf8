import type { EventEmitter } from 'node:events';

import type { JobParts } from '../bull-shared/attributes.ts';
import type { JobOptions } from '../bull-shared/job-context.ts';

/* The class of Bull 4, as far as it is used here. */

export interface Job extends JobParts {
  opts?: JobOptions;
}

export interface BulkJob {
  opts?: JobOptions | undefined;
}

export type Handler = (job: Job, ...rest: unknown[]) => unknown;

/** A queue, whose worker it is as well. */
export interface Queue extends EventEmitter {
  name?: string;
  /** Whether `client`, a getter that connects, has connected. */
  clientInitialized?: boolean;
  client?: unknown;
  /** The functions of the application by the names of their jobs, each returning a promise. */
  handlers: Record<string, Handler>;
  /** `(name, data, options)`, or without the name. */
  add(...args: unknown[]): Promise<Job>;
  addBulk(jobs: BulkJob[]): Promise<Job[]>;
  setHandler(name: string, handler: unknown): void;
}
