import type { QueueParts } from '../bull-shared/attributes.ts';
import type { Base } from './library-types.ts';

/** What spans tell of a queue, a worker or, with the name of its queue, of a flow. */
export function partsOf({ name, opts }: Base, queueName: unknown = name): QueueParts {
  return { system: 'bullmq', name: queueName, connection: opts?.connection };
}
