import { parentPort } from 'node:worker_threads';

// Ports of threads have no origins.
// oxlint-disable-next-line unicorn/require-post-message-target-origin
parentPort?.postMessage('ready');
