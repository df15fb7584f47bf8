import { RunningOperation } from '../../running-operation.ts';

/** A query on its way, of a client or of a pool. */
export class QueryOperation extends RunningOperation {
  /** Whether the user made the object that is executed, and may hear more of it than pg tells. */
  isOfUsers = false;
}
