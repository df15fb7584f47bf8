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
  /** Whether the machine had so much else to do that a figure over the limit says nothing. */
  isBusy: boolean;
}

const ROUNDS = 9;
const ATTEMPTS = 3;

/** A figure within the limit counts on any machine; one beyond it, only on a machine that is free. */
export function verdictOf({ median, limit, isBusy }: Politeness): 'passed' | 'failed' | 'skipped' {
  if (median <= limit) return 'passed';
  return isBusy ? 'skipped' : 'failed';
}

/** Measures natural ends and SIGTERM, with the collector up, down and hanging. */
export async function measurePoliteness(
  node: string,
  isBusy: () => boolean,
): Promise<Politeness[]> {
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
      const title = `${end === 'natural' ? 'natural end' : 'SIGTERM, a server'}, collector ${collector}`;
      const limit = collector === 'up' ? 300 : 1000;
      for (let attempt = 1; ; attempt++) {
        const added = await compare(end, url, node);
        receiver.clear();
        const median = added[Math.floor(added.length / 2)] as number;
        const row = { title, median, worst: added.at(-1) as number, limit, isBusy: isBusy() };
        if (verdictOf(row) !== 'passed' && attempt < ATTEMPTS) continue;
        rows.push(row);
        break;
      }
    }
  }
  await receiver.close();
  await close(silent);
  return rows;
}

/** What we add, in ascending order. */
async function compare(end: string, url: string, node: string): Promise<number[]> {
  const added: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    // Interleaved, so that both see the same machine.
    const without = await time(end, url, node, 'none');
    added.push((await time(end, url, node, 'clew')) - without);
  }
  return added.toSorted((a, b) => a - b);
}

async function time(end: string, url: string, node: string, pipeline: string): Promise<number> {
  const { millis } = await runApp(end, url, {
    env: { PIPELINE: pipeline },
    node,
    keepBooks: false,
    onReady: (child) => child.kill('SIGTERM'),
  });
  return millis;
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => server.close(() => resolve()));
}
