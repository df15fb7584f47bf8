import { workerData, type MessagePort } from 'node:worker_threads';

import { SenderCore, type SenderSetup, type ToSender } from './sender-core.ts';

/*
 * The entry of the sender's thread. It talks over a port of its own, which the application's thread
 * can read while it is blocked at exit; stderr of a thread goes through its parent and could not.
 */

const { setup, port } = workerData as { setup: SenderSetup; port: MessagePort };

const core = new SenderCore(setup, (level, message) => {
  port.postMessage({ type: 'say', level, message });
});

port.on('message', (message: ToSender) => {
  core.receive(message, (id) => port.postMessage({ type: 'answer', id }));
});
