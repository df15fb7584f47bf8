import { PendingOperation } from '../../pending-operation.ts';
import type { Recorder } from '../../recorder/recorder.ts';
import { describe, endpointOf } from './attributes.ts';
import type { RedisCommand, RedisConnection } from './library-types.ts';

/** A command, or a pipeline, on its way to the server. */
export class CommandOperation extends PendingOperation {
  #isLocated = false;

  constructor() {
    super('REDIS_COMMAND');
  }

  /** Confirms the endpoint with which it was recorded. */
  located(): void {
    this.#isLocated = true;
  }

  /**
   * Called when it is sent to `connection`: a cluster has chosen one, or the connection is now
   * established. Starts recording if that has not happened yet.
   */
  sending(connection: RedisConnection, command: RedisCommand, recorder: Recorder): void {
    if (this.#isLocated || connection.isCluster) return;
    this.#isLocated = connection.status === 'ready';
    if (this.recording) this.recording.connectedTo(endpointOf(connection));
    else if (!this.settled && !this.isDescribed)
      this.record(recorder, describe(connection, command));
  }
}
