import assert from 'node:assert/strict';
import { cpSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { MODULES } from '../../support/modules.ts';
import { OtlpReceiver } from '../../support/otlp-receiver.ts';
import { fixture, REGISTER_URL, runNode } from '../../support/run-node.ts';

const FILES = ['pool.mjs', 'pool-task.cjs', 'pool-worker.cjs'];

/** Library, folder of the version, how it is loaded, kind of its workers. */
const POOLS = [
  ['piscina', 'piscina', 'import', 'thread'],
  ['piscina', 'piscina-4', 'require', 'thread'],
  ['workerpool', 'workerpool', 'import', 'thread'],
  ['workerpool', 'workerpool', 'require', 'process'],
  ['workerpool', 'workerpool-6', 'require', 'thread'],
] as const;

describe('pools of workers', function () {
  this.timeout(120_000);
  let receiver: OtlpReceiver;

  before(async () => {
    receiver = await new OtlpReceiver().listen();
  });
  beforeEach(() => receiver.clear());
  after(() => receiver.close());

  for (const [library, folder, how, kind] of POOLS) {
    describe(`${folder}, by ${how}, with a ${kind}`, () => {
      let place: string;

      before(() => {
        // Where a user's project would have it: under its own name.
        place = mkdtempSync(join(tmpdir(), 'clew-pool-'));
        mkdirSync(join(place, 'node_modules'));
        for (const name of FILES) cpSync(fixture(`processes/${name}`), join(place, name));
        // One of the root's packages is a link here.
        cpSync(realpathSync(join(MODULES, folder)), join(place, 'node_modules', library), {
          recursive: true,
        });
        for (const name of ['@opentelemetry', 'workerpool'].filter((each) => each !== library)) {
          symlinkSync(join(MODULES, name), join(place, 'node_modules', name));
        }
      });
      after(() => rmSync(place, { recursive: true, force: true }));

      async function run(env: Record<string, string>): Promise<[string, unknown, boolean][]> {
        const { code, stdout, stderr } = await runNode(
          [join(place, 'pool.mjs'), library, how, kind],
          { env: { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url, ...env } },
        );
        assert.equal(code, 0, stderr);
        return JSON.parse(stdout) as [string, unknown, boolean][];
      }

      it('run each task in its caller, with one worker, after failures and aborts, too', async () => {
        const results = await run({ NODE_OPTIONS: `--import ${REGISTER_URL}` });
        const bare = await run({});
        const outcomes = (of: typeof bare): unknown => of.map(([name, result]) => [name, result]);
        assert.deepEqual(outcomes(results), outcomes(bare));
        assert.deepEqual(
          results.filter(([, , isOwn]) => !isOwn),
          [],
        );
        const ids = new Map(receiver.spans.map((span) => [span.name, span]));
        for (const caller of ['one', 'two', 'three', 'aborted', 'four', 'outside']) {
          const parent = ids.get(caller);
          for (const name of caller === 'aborted' ? ['at once'] : ['at once', 'later']) {
            const span = ids.get(`${caller}: ${name}`);
            // What a thread has ended in the 10 ms before it was terminated is lost.
            if (caller === 'aborted' && span === undefined) continue;
            assert.ok(span, `${caller}: ${name} arrived`);
            assert.equal(span.parentSpanId, parent?.spanId, span.name);
            if (parent) assert.equal(span.traceId, parent.traceId, span.name);
          }
        }
      });
    });
  }
});
