import { PendingOperation } from '../../pending-operation.ts';

/** A query in progress, of a client or of a pool. */
export class QueryOperation extends PendingOperation {
  /** Whether the user created the executed object, which may get more events than pg reports. */
  isOfUsers = false;
}
