import assert from 'node:assert/strict';

import { runFixture } from '../../support/run-fixture.ts';
import { requireService } from '../../support/services.ts';

const FIXTURE = new URL('../../fixtures/instrumentation/finished-calls.js', import.meta.url);

/*
 * Without its optimising compilers, V8 puts a function that is written where it is assigned to a
 * property (`command.resolve = () => ...`) into the old generation, on Node 24 and later always.
 * Whatever such a function reaches is kept until a full collection: of some clients that is every
 * command, with what this package hangs on it.
 */
const EXEC_ARGV = ['--no-opt', '--no-maglev'];

/**
 * An operation and its link to a command have to be (350), and whether V8 keeps a command too (650)
 * differs from one run to the next, also without us. A span with its attributes is more than 2,000.
 */
const BYTES = 1400;

describe('A call that is over', function () {
  this.timeout(120_000);

  for (const [client, service] of [
    ['pg', 'postgresql'],
    ['postgres', 'postgresql'],
    ['mysql2', 'mariadb'],
    ['mariadb', 'mariadb'],
    ['ioredis', 'redis'],
  ] as const) {
    it(`keeps no span until the next full collection with ${client}`, async function () {
      const url = await requireService(this, service);
      const [bare, instrumented] = await Promise.all(
        ['bare', 'instrumented'].map(async (variant) => {
          const args = [client, variant, url];
          return Number((await runFixture(FIXTURE, { args, execArgv: EXEC_ARGV })).stdout);
        }),
      );
      assert.ok(
        instrumented! - bare! < BYTES,
        `${bare} bytes of a bare call, ${instrumented} of an instrumented one`,
      );
    });
  }
});
