import { RunningOperation } from '../../running-operation.ts';
import type { Recorder } from '../../recorder/recorder.ts';
import { describe, endpointOf } from './describe.ts';
import type { RedisCommand, RedisConnection } from './shapes.ts';

/** A command, or a pipeline, on its way to the server. */
export class CommandOperation extends RunningOperation {
  #isLocated = false;

  constructor() {
    super('REDIS_COMMAND');
  }

  /** Says that the endpoint it was recorded with is the right one. */
  located(): void {
    this.#isLocated = true;
  }

  /**
   * It goes to `connection` now: a cluster has chosen one, or one that was not connected is. What
   * has not been recorded yet is.
   */
  sending(connection: RedisConnection, command: RedisCommand, recorder: Recorder): void {
    if (this.#isLocated || connection.isCluster) return;
    this.#isLocated = connection.status === 'ready';
    if (this.recording) this.recording.connectedTo(endpointOf(connection));
    else if (!this.settled && !this.isDescribed)
      this.record(recorder, describe(connection, command));
  }
}
