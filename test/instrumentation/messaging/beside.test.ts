import assert from 'node:assert/strict';

import { OtlpReceiver } from '../../support/otlp-receiver.ts';
import { fixture, runNode } from '../../support/run-node.ts';
import { requireService } from '../../support/services.ts';

/* The official instrumentations beside ours: in the same process, and at the other end of a queue. */

const LIBRARIES = {
  amqplib: 'rabbitmq',
  kafkajs: 'kafka',
} as const;

for (const [library, service] of Object.entries(LIBRARIES)) {
  describe(`the official instrumentation of ${library}`, function () {
    this.timeout(120_000);
    let url: string;
    let receiver: OtlpReceiver;
    let runs = 0;

    before(async function () {
      url = await requireService(this, service);
    });
    beforeEach(async () => {
      receiver = await new OtlpReceiver().listen();
    });
    afterEach(() => receiver.close());

    const run = async (
      way: string,
      queue: string,
      env: Record<string, string> = {},
    ): Promise<Map<string, string[]>> => {
      const { code, stdout, stderr } = await runNode([fixture('messaging/beside.cjs')], {
        env: {
          LIBRARY: library,
          WAY: way,
          URL: url,
          QUEUE: queue,
          KAFKAJS_NO_PARTITIONER_WARNING: '1',
          OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
          ...env,
        },
      });
      assert.equal(code, 0, stderr);
      return new Map(
        stdout
          .trim()
          .split('\n')
          .map((line) => line.split(' '))
          .map(([name = '', ...traces]) => [name, traces]),
      );
    };
    const newQueue = (): string => `beside-${library}-${process.pid}-${++runs}`;
    const scopes = (): string[] =>
      receiver.spans.map(({ scope }) => scope.name).filter((name) => name !== 'app');

    const theirs = `@opentelemetry/instrumentation-${library}`;
    for (const way of ['given', 'clewFirst', 'clewSecond']) {
      it(`has the spans alone where both are there: ${way}`, async () => {
        await run(way, newQueue());
        assert.deepEqual(scopes(), [theirs, theirs]);
      });
    }

    it('understands our messages', async () => {
      const queue = newQueue();
      const sent = await run('clew', queue, { CONSUMES: 'no' });
      assert.deepEqual(scopes(), [`clew/${library}`]);
      const handled = await run('official', queue, { SENDS: 'no' });
      const [sender] = sent.get('sender')!;
      assert.ok(handled.get('handler')?.includes(sender!), String(handled.get('handler')));
    });

    it('has its messages understood by ours', async () => {
      const queue = newQueue();
      const sent = await run('official', queue, { CONSUMES: 'no' });
      const handled = await run('clew', queue, { SENDS: 'no' });
      const [sender] = sent.get('sender')!;
      assert.ok(handled.get('handler')?.includes(sender!), String(handled.get('handler')));
    });
  });
}
