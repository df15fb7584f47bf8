import type { EventEmitter } from 'node:events';

import type { JobOptions } from '../bull-shared/job-context.ts';
import type { JobParts } from '../bull-shared/attributes.ts';

/* The classes of BullMQ 5 and 6, as far as they are used here. */

export interface Job extends JobParts {
  opts?: JobOptions;
  /** The job for a process or a thread of its own. */
  asJSONSandbox(): object;
}

/** What queues, flow producers and workers have in common. */
export interface Base extends EventEmitter {
  name?: string;
  opts?: { connection?: unknown; telemetry?: unknown };
}

export interface BulkJob {
  opts?: JobOptions | undefined;
}

/** What the jobs of a scheduler are made of. */
export interface JobTemplate {
  name?: string;
  opts?: JobOptions | undefined;
}

export interface Queue extends Base {
  add(name: unknown, data: unknown, opts?: JobOptions): Promise<Job>;
  addBulk(jobs: BulkJob[]): Promise<Job[]>;
  /** Since 5.16. */
  upsertJobScheduler?(id: unknown, repeat: unknown, template?: JobTemplate): Promise<Job>;
}

export interface Flow {
  name?: unknown;
  queueName?: unknown;
  opts?: JobOptions | undefined;
  children?: Flow[] | undefined;
}

export interface FlowNode {
  job?: Job;
}

export interface FlowProducer extends Base {
  add(flow: Flow, opts?: unknown): Promise<FlowNode>;
  addBulk(flows: Flow[]): Promise<FlowNode[]>;
}

export interface Worker extends Base {
  /** Calls the function of the application, or hands the job to a sandbox. */
  callProcessJob(job: Job, ...rest: unknown[]): unknown;
}

/** In a process or a thread of its own. */
export interface ChildProcessor {
  start(job: { traceContext?: unknown }, token?: unknown): Promise<unknown>;
}
