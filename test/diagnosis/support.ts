import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

import type {
  CountedObservation,
  Frame,
  HandleRecord,
  RunRecord,
} from '../../src/diagnosis/record.ts';

/** A frame of `/app/routes.js:14`, written so. */
export function frame(place: string, fn?: string): Frame {
  const [, file = '', line = ''] = /^(.*):(\d+)$/.exec(place) ?? [];
  return { file, line: Number(line), column: 3, fn };
}

export const frames = (...places: string[]): Frame[] => places.map((place) => frame(place));

export const POOL_SOCKET: HandleRecord = {
  asyncId: 18,
  type: 'TCPWRAP',
  repeating: false,
  stack: frames('node:net:300', '/app/node_modules/some-pool/index.js:40', '/app/db.js:12'),
};

export const A = { id: 1, label: 'GET /orders' };
export const B = { id: 2, label: 'GET /invoice' };

export function observation(given: Partial<CountedObservation> = {}): CountedObservation {
  return {
    kind: 'lost',
    what: 'res.end()',
    anchored: true,
    completes: true,
    stack: frames(
      '/app/routes.js:14',
      '/app/node_modules/some-pool/index.js:478',
      'node:events:500',
      'node:net:700',
    ),
    handle: POOL_SOCKET,
    owner: A,
    inFlight: 1,
    parentedElsewhere: false,
    spans: ['pg.query'],
    count: 1,
    brokenSpans: 1,
    owners: { 'GET /orders': 1 },
    ...given,
  };
}

export const run = (given: Partial<RunRecord> = {}): RunRecord => ({
  observations: [],
  facts: [],
  requests: 312,
  routes: {},
  spans: 1904,
  millis: 41_000,
  dropped: 0,
  ...given,
});

/** A server that answers as the function says, on a port of its own. */
export async function serving(
  answer: Parameters<typeof createServer>[1],
): Promise<[Server, string]> {
  const server = createServer({}, answer);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return [server, `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1/traces`];
}
