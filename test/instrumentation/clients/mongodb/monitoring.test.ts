import assert from 'node:assert/strict';
import { AsyncLocalStorage } from 'node:async_hooks';
import { createRequire } from 'node:module';

import type * as Mongodb from 'mongodb';

import {
  getInstrumentations,
  type Instrumentation,
} from '../../../../src/instrumentation/index.ts';
import { registerTelemetry } from '../../support/telemetry.ts';
import { startStandIn, type StandIn } from './stand-in.ts';

const { MongoClient } = createRequire(import.meta.url)('mongodb') as typeof Mongodb;
const caller = new AsyncLocalStorage<string>();
const EVENTS = ['commandStarted', 'commandSucceeded', 'commandFailed', 'connectionCheckOutStarted'];

describe('command monitoring of mongodb, on a stand-in for a server', () => {
  let server: StandIn;
  let instrumentation: Instrumentation;

  beforeEach(async () => {
    registerTelemetry();
    server = await startStandIn();
    [instrumentation] = getInstrumentations({ all: { requireParent: false } }).filter(
      ({ instrumentationName }) => instrumentationName === 'clew/mongodb',
    ) as [Instrumentation];
  });
  afterEach(async () => {
    instrumentation.disable();
    await server.stop();
  });

  /** Which caller each event of three commands at once was emitted for. */
  async function observe(): Promise<string[]> {
    const client = new MongoClient(server.url, { monitorCommands: true });
    await client.connect();
    const seen: string[] = [];
    for (const event of EVENTS) {
      client.on(event as 'commandStarted', () => seen.push(`${event} ${caller.getStore()}`));
    }
    try {
      await Promise.all(
        ['A', 'B', 'C'].map((name) => caller.run(name, () => client.db('x').command({ ping: 1 }))),
      );
      await caller.run('D', () =>
        client
          .db('x')
          .command({ nonsense: 1 })
          .catch(() => undefined),
      );
    } finally {
      await client.close();
    }
    return seen
      .filter((event) => !event.endsWith('undefined'))
      .toSorted((a, b) => (a < b ? -1 : 1));
  }

  it('runs in the context of the command it is about, as without us', async () => {
    const bare = await observe();
    assert.ok(
      bare.includes('commandStarted A') && bare.includes('commandSucceeded C'),
      bare.join(),
    );
    instrumentation.enable();
    assert.deepEqual(await observe(), bare);
  });
});
