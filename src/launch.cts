/*
 * What both preloads share. It is CommonJS, which every Node and every loader can require, and it
 * links against nothing that a Node too old for us lacks.
 *
 * `launch` starts clew, unless this thread belongs to no application, and returns what came of it:
 * the `problem` that costs tracing, and the `error` behind it. `report` writes the one line about
 * it. Neither throws: what fails costs tracing and not the application.
 *
 * Where clew is disabled the start waits until the API of OpenTelemetry is used, which it is not in most
 * programs; then nothing of clew is loaded but the preload itself.
 */
{
  interface Outcome {
    problem?: string;
    error?: unknown;
  }

  const launch = (): Outcome => {
    const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
    if (major < 20 || (major === 20 && minor < 19)) {
      return { problem: `Node ${process.versions.node} is too old, clew needs 20.19 or later.` };
    }
    // pm2's daemon only starts applications and looks after them; they inherit what is in NODE_OPTIONS.
    if (/[\\/]pm2[\\/]lib[\\/]Daemon\.js$/.test(process.argv[1] ?? '')) return {};
    return attempt(mayWait(process.env) ? startLater : startNow);
  };

  /**
   * Whether nothing is to be done before the API is used: no spans are made, and neither the repair of
   * libraries nor a report of the start was asked for.
   */
  const mayWait = (env: NodeJS.ProcessEnv): boolean => {
    const is = (name: string, value: RegExp): boolean => value.test(env[name]?.trim() ?? '');
    return (
      is('OTEL_SDK_DISABLED', /^true$/i) &&
      // With Yarn's archives a start that fails is tried again in another way, which has to be now.
      process.versions['pnp'] === undefined &&
      !is('CLEW_REPAIR', /^(?:on|true|1|yes)$/i) &&
      !is('CLEW_REPORT_START', /^1$/) &&
      !is('OTEL_LOG_LEVEL', /^(?:debug|verbose|all)$/i)
    );
  };

  const startLater = (): void => {
    const { untilApiIsUsed } = require('./until-api-is-used.cjs') as {
      untilApiIsUsed: (begin: () => void) => void;
    };
    untilApiIsUsed(() => {
      const outcome = attempt(startNow);
      if (outcome.error === undefined) return;
      // What is being imported cannot be required: an application may import clew, which uses the API.
      import('./start.ts').then(({ startIn }) => startIn(process.env)).catch(() => report(outcome));
    });
  };

  const startNow = (): void => {
    // Loaded here: it brings streams, which the smallest programs have no use for.
    const { isMainThread, parentPort } =
      require('node:worker_threads') as typeof import('node:worker_threads');
    // Node runs `--require` preloads on the thread of the loader hooks too. That one belongs to no
    // application; unlike a worker it has nobody to talk to.
    if (!isMainThread && parentPort === null) return;
    const { start } = require('./start.js') as { start: () => void };
    start();
  };

  const attempt = (step: () => void): Outcome => {
    try {
      step();
      return {};
    } catch (error) {
      const message = String((error as Error | undefined)?.message ?? error);
      const { code } = (error ?? {}) as { code?: unknown };
      if (process.versions['pnp'] !== undefined && code === 'ERR_MODULE_NOT_FOUND') {
        // `require` of an ES module reads past Yarn's file system, which only has archives.
        const problem = `Node ${process.versions.node} cannot --require it from Yarn's archives. Use --import clew/register.`;
        return { error, problem };
      }
      const line = (message.split('\n')[0] ?? '').replace(/[^.]$/, '$&.');
      return { error, problem: `could not be started: ${line}` };
    }
  };

  const report = ({ problem }: Outcome): void => {
    if (problem === undefined) return;
    try {
      process.stderr.write(`clew: ${problem} The application runs without tracing.\n`);
    } catch {
      // A closed stderr must not reach the application.
    }
  };

  module.exports = { launch, report };
}
