import type { QueueParts } from '../bull-family/describe.ts';
import type { Base } from './shapes.ts';

/** What spans tell of a queue, a worker or, with the name of its queue, of a flow. */
export function partsOf({ name, opts }: Base, queueName: unknown = name): QueueParts {
  return { system: 'bullmq', name: queueName, connection: opts?.connection };
}
