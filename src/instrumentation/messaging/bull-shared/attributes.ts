import type { Attributes } from '@opentelemetry/api';

import type { MessageOperation } from '../message-operation.ts';

/* The attributes that BullMQ's own telemetry has. */
const JOB_NAME = 'bullmq.job.name';
const JOB_ATTEMPTS = 'bullmq.job.attempts.made';

/** Bull's for a job that was added without a name. */
const NO_NAME = '__default__';

/** A queue, as spans tell of it. */
export interface QueueParts {
  system: 'bullmq' | 'bull';
  name: unknown;
  /** The options of a Redis client, or the client itself. */
  connection: unknown;
}

/** What a queue is about to be given: one job with its name, or many. */
export function describeSend(
  queue: QueueParts,
  { jobName, batchSize }: { jobName?: unknown; batchSize?: number | undefined },
): MessageOperation {
  return {
    ...destination(queue),
    type: 'send',
    batchSize,
    attributes: named(jobName),
  };
}

/** A job as a library has it. */
export interface JobParts {
  id?: unknown;
  name?: unknown;
  attemptsMade?: unknown;
}

/** A job that is handed to the function of the application. */
export function describeProcess(queue: QueueParts, job: JobParts): MessageOperation {
  const { id, name, attemptsMade } = job;
  return {
    ...destination(queue),
    type: 'process',
    messageId: idOf(id),
    attributes: {
      ...named(name),
      ...(typeof attemptsMade === 'number' && { [JOB_ATTEMPTS]: attemptsMade }),
    },
  };
}

/** A job's id: Bull's may be a number. */
export function idOf(id: unknown): string | undefined {
  return typeof id === 'string' || typeof id === 'number' ? String(id) : undefined;
}

function destination({
  system,
  name,
  connection,
}: QueueParts): Pick<MessageOperation, 'system' | 'destination' | 'address' | 'port'> {
  return {
    system,
    destination: typeof name === 'string' ? name : undefined,
    ...serverOf(connection),
  };
}

function named(name: unknown): Attributes {
  return typeof name === 'string' && name !== NO_NAME ? { [JOB_NAME]: name } : {};
}

/** From the options of a client of either kind; a cluster has none of its own. */
function serverOf(connection: unknown): { address?: string; port?: number } {
  const options = objectIn(connection, 'options') ?? connection;
  const place = (objectIn(options, 'socket') ?? options ?? {}) as {
    host?: unknown;
    port?: unknown;
  };
  if (typeof place.host !== 'string') return {};
  const port = Number(place.port ?? 6379);
  return { address: place.host, ...(Number.isInteger(port) && { port }) };
}

function objectIn(object: unknown, key: string): object | undefined {
  if (typeof object !== 'object' || object === null) return undefined;
  const value = (object as Record<string, unknown>)[key];
  return typeof value === 'object' && value !== null ? value : undefined;
}
