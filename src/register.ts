/*
 * The preload as `node --import clew/register app.js` loads it. What fails costs tracing and not
 * the application. It imports nothing on any Node that is new enough: a loader of the application's
 * own may refuse what an import names.
 */
interface Outcome {
  problem?: string;
  error?: unknown;
}
const { createRequire } = (process.getBuiltinModule as typeof process.getBuiltinModule | undefined)
  ? process.getBuiltinModule('node:module')
  : await import('node:module');
const { launch, report } = createRequire(import.meta.url)('./launch.cjs') as {
  launch: () => Outcome;
  report: (outcome: Outcome) => void;
};

let outcome = launch();
if (outcome.error !== undefined) {
  // Some loaders, that of Yarn on Node 20 for one, serve ES modules to `import` alone.
  try {
    const { start } = await import('./start.ts');
    start();
    outcome = {};
  } catch {
    // The first error is the one to report.
  }
}
report(outcome);
