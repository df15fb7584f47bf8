import { createHook } from 'node:async_hooks';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

import { ContextLossMarks } from '../../src/diagnosis/context-loss-marks.ts';
import { ContextLossDetector } from '../../src/diagnosis/detector.ts';
import { AsyncResourceTracer } from '../../src/tracer/async-resource-tracer.ts';

/*
 * The server of `cost.ts`: ten awaits and one timer per request. The argument names the variant,
 * of the tracer or of the doctor;
 * each message from the parent is answered with the CPU time used so far, in microseconds.
 */
const variant = process.argv[2] ?? 'bare';
let requests = 0;

if (variant === 'hooks') {
  const nothing = (): void => undefined;
  const options = { before: nothing, after: nothing, trackPromises: false };
  createHook(options).enable();
} else if (variant === 'hooks-init') {
  const nothing = (): void => undefined;
  const options = { init: nothing, before: nothing, after: nothing, trackPromises: false };
  createHook(options).enable();
} else if (variant === 'marks') {
  new ContextLossMarks().start();
} else if (variant === 'doctor' || variant === 'doctor-deep') {
  new ContextLossDetector({ deep: variant === 'doctor-deep' }).start();
} else if (variant !== 'bare') {
  const tracer = new AsyncResourceTracer({
    onTrace: () => undefined,
    select: () => variant === 'trace' || ++requests % 100 === 0,
  });
  if (variant !== 'off') {
    tracer.start(variant === 'sampled' ? 'trace' : (variant as 'watch' | 'trace' | 'deep'));
  }
}

const server = createServer((_request, response) => void answer(response));

async function answer(response: { end(body: string): void }): Promise<void> {
  for (let i = 0; i < 10; i++) await Promise.resolve(i);
  await sleep(1);
  response.end('ok');
}

// A connection waits for its turn while the other variants run.
server.keepAliveTimeout = 0;
server.listen(0, '127.0.0.1', () => process.send?.((server.address() as AddressInfo).port));
process.on('message', () => {
  const { user, system } = process.cpuUsage();
  process.send?.(user + system);
});
