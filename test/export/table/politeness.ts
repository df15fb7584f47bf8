import { createServer, type Server } from 'node:net';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';

import { startReceiver } from '../../support/otlp-receiver.ts';
import { runApp } from '../support/fixture.ts';

/** How much longer a program takes to end, in milliseconds, over the same program without us. */
export interface Politeness {
  title: string;
  median: number;
  worst: number;
  limit: number;
}

/** Measures natural ends and SIGTERM, with the collector up, down and hanging. */
export async function measurePoliteness(node: string, rounds: number): Promise<Politeness[]> {
  const receiver = await startReceiver();
  const silent = createServer((socket) => socket.resume().on('error', () => undefined)).listen(
    0,
    '127.0.0.1',
  );
  await once(silent, 'listening');
  const collectors = {
    up: receiver.url,
    down: 'http://127.0.0.1:9',
    hanging: `http://127.0.0.1:${(silent.address() as AddressInfo).port}`,
  };
  const rows: Politeness[] = [];
  for (const [collector, url] of Object.entries(collectors)) {
    for (const end of ['natural', 'signal']) {
      const added: number[] = [];
      for (let round = 0; round < rounds; round++) {
        // Interleaved, so that both see the same machine.
        const without = await time(end, url, node, 'none');
        added.push((await time(end, url, node, 'clew')) - without);
        receiver.clear();
      }
      added.sort((a, b) => a - b);
      rows.push({
        title: `${end === 'natural' ? 'natural end' : 'SIGTERM, a server'}, collector ${collector}`,
        median: added[Math.floor(added.length / 2)] as number,
        worst: added.at(-1) as number,
        limit: collector === 'up' ? 300 : 1000,
      });
    }
  }
  await receiver.close();
  await close(silent);
  return rows;
}

async function time(end: string, url: string, node: string, pipeline: string): Promise<number> {
  const { millis } = await runApp(end, url, {
    env: { PIPELINE: pipeline },
    node,
    onReady: (child) => child.kill('SIGTERM'),
  });
  return millis;
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => server.close(() => resolve()));
}
