import { fork, type ChildProcess, type ForkOptions } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

/** A process of the benchmark that answers each message with one. */
export class Answerer<Hello> {
  /** What it sent first, when it was ready. */
  readonly hello: Hello;
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess, hello: Hello) {
    this.#child = child;
    this.hello = hello;
  }

  /** Starts a program beside this file and waits for its first message. */
  static async start<Hello>(
    program: string,
    args: readonly string[],
    options: ForkOptions,
  ): Promise<Answerer<Hello>> {
    const child = fork(fileURLToPath(new URL(program, import.meta.url)), args, {
      execArgv: [],
      ...options,
    });
    return new Answerer(child, (await message(child, program)) as Hello);
  }

  async ask<Answer>(question: unknown): Promise<Answer> {
    this.#child.send(question as object);
    return (await message(this.#child, 'a process of the benchmark')) as Answer;
  }

  async stop(): Promise<void> {
    const exited = once(this.#child, 'exit');
    this.#child.disconnect();
    await exited;
  }
}

async function message(child: ChildProcess, what: string): Promise<unknown> {
  const gone = new AbortController();
  const exited = once(child, 'exit', { signal: gone.signal }).then(([code]) => {
    throw new Error(`${what} ended with code ${String(code)}`);
  });
  // Aborted below once the answer is there.
  exited.catch(() => undefined);
  try {
    const [answer] = (await Promise.race([once(child, 'message'), exited])) as [unknown];
    return answer;
  } finally {
    gone.abort();
  }
}
