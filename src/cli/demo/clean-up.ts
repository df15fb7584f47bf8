import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';

/** How long a child may take to end by itself, in milliseconds. */
const MAX_WAIT = 3000;

/** What has to be undone at the end, in the opposite order of its coming. */
export class CleanUp {
  readonly #steps: (() => Promise<void>)[] = [];

  add(step: () => Promise<void>): void {
    this.#steps.push(step);
  }

  /** Stops a child process: asks first, and kills it when it does not listen. */
  child(child: ChildProcess): void {
    // Should this process die without cleaning up, no child stays behind.
    const kill = (): void => void child.kill('SIGKILL');
    process.once('exit', kill);
    child.once('exit', () => process.off('exit', kill));
    this.add(async () => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const exited = once(child, 'exit');
      child.kill('SIGTERM');
      const timer = setTimeout(kill, MAX_WAIT);
      await exited;
      clearTimeout(timer);
    });
  }

  /** Does all steps, whatever becomes of each. */
  async run(): Promise<void> {
    for (const step of this.#steps.splice(0).toReversed()) await step().catch(() => undefined);
  }
}
