import { fork } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

import { ContextLossMarks } from '../../src/diagnosis/context-loss-marks.ts';
import { ContextLossDetector } from '../../src/diagnosis/detector.ts';
import { AsyncResourceTracer } from '../../src/tracer/async-resource-tracer.ts';
import { NODE_LINES } from '../../test/support/other-nodes.ts';
import type { BenchmarkCase, BenchmarkGroup } from '../harness/group.ts';
import type { Load } from '../harness/load.ts';

/*
 * What a level of the tracer and of the doctor costs a server: ten awaits and one timer for each
 * request. The requests come from a process of its own.
 */
const LOAD = fileURLToPath(new URL('../harness/load.js', import.meta.url));
const REQUEST = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';

interface Level {
  /** Whether it was busy with what it is for. */
  hasWorked(): boolean;
}
const NOTHING: Level = { hasWorked: () => true };

function startLevel(variant: string): Level {
  if (variant === 'marks') {
    new ContextLossMarks().start();
    return NOTHING;
  }
  if (variant.startsWith('doctor')) {
    const detector = new ContextLossDetector({ deep: variant === 'doctor-deep' }).start();
    return { hasWorked: () => detector.report().requests > 0 };
  }
  if (variant === 'bare') return NOTHING;
  let begun = 0;
  const tracer = new AsyncResourceTracer({
    onTrace: () => undefined,
    select: () => true,
    onRequestStart: () => void begun++,
  });
  if (variant !== 'off') tracer.start(variant as 'watch' | 'trace' | 'deep');
  return { hasWorked: () => variant === 'off' || begun > 0 };
}

function inFlight(connections: number): BenchmarkCase {
  return {
    name: connections === 1 ? '1 request in flight' : `${connections} requests in flight`,
    unit: 'us CPU',
    prepare: async (variant) => {
      const level = startLevel(variant);
      const server = createServer((_request, response) => {
        void (async () => {
          for (let index = 0; index < 10; index += 1) await Promise.resolve(index);
          await sleep(1);
          response.end('ok');
        })();
      }).listen({ port: 0, host: '127.0.0.1', backlog: 20_000 });
      // The connections wait for their turn, however long the others take.
      server.keepAliveTimeout = 0;
      await once(server, 'listening');
      const { port } = server.address() as AddressInfo;
      const load = fork(LOAD, { execArgv: [] });
      await once(load, 'message');
      const requests = async (count: number): Promise<number> => {
        const before = process.cpuUsage();
        load.send({ port, count, connections, request: REQUEST } satisfies Load);
        await once(load, 'message');
        const { user, system } = process.cpuUsage(before);
        return user + system;
      };
      return {
        preflight: async () => {
          await requests(Math.max(200, connections));
          // What the last requests left has its end in the next turns of the loop.
          await sleep(300);
          if (!level.hasWorked()) throw new Error(`${variant} saw no request`);
        },
        run: requests,
        // One at a time waits for its timer a millisecond.
        count: connections === 1 ? 200 : Math.max(1000, connections),
        warmUps: connections === 1 ? 3 : 5,
        close: () => {
          load.disconnect();
          server.closeAllConnections();
          server.close();
        },
      };
    },
  };
}

export const group: BenchmarkGroup = {
  description:
    'the levels of the tracer, and the doctor, in a server without anything else: CPU per request of ten awaits and a timer',
  mark: 'bench-levels',
  variants: ['bare', 'off', 'watch', 'trace', 'deep', 'marks', 'doctor', 'doctor-deep'],
  baseline: 'bare',
  nodes: NODE_LINES,
  quick: {
    cases: ['100 requests in flight'],
    variants: ['watch', 'trace', 'marks', 'doctor'],
    rounds: 5,
  },
  cases: [1, 100, 1000, 10_000].map(inFlight),
};
