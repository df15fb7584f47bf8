import { createRequire } from 'node:module';
import { isMainThread, parentPort } from 'node:worker_threads';

/*
 * The preload: `node --import clew/register app.js`, or `--require` for it. It has to be
 * synchronous, and it must not link against anything a Node too old for us lacks: so the version is
 * looked at first and everything else is required after that.
 */
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
// Node runs `--require` preloads on the thread of the loader hooks too. That one belongs to no
// application; unlike a worker it has nobody to talk to.
const isLoaderThread = !isMainThread && parentPort === null;

if (major < 20 || (major === 20 && minor < 19)) {
  process.stderr.write(
    `clew: Node ${process.versions.node} is too old, clew needs 20.19 or later. ` +
      'The application runs without tracing.\n',
  );
} else if (!isLoaderThread) {
  const { start } = createRequire(import.meta.url)('./start.js') as {
    start: () => void;
  };
  start();
}
