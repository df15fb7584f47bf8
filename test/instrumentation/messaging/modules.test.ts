import assert from 'node:assert/strict';

import { requireService, type ServiceName } from '../../support/services.ts';
import { runApplication } from '../support/application.ts';

/* Applications under the preload, which find their library as an ES module or by `require`. */

interface Library {
  service: ServiceName;
  /** What is imported, by name. */
  imports: [names: string, module: string];
  /** Sends one message to `name` and receives it. */
  use: string;
}

const LIBRARIES: Record<string, Library> = {
  amqplib: {
    service: 'rabbitmq',
    imports: ['connect', 'amqplib'],
    use: `
      const connection = await connect(url);
      const channel = await connection.createChannel();
      await channel.assertQueue(name, { durable: false });
      channel.sendToQueue(name, Buffer.from('text'));
      await new Promise((resolve) => channel.consume(name, () => setImmediate(resolve), { noAck: true }));
      await channel.deleteQueue(name);
      await connection.close();`,
  },
  'amqplib, callbacks': {
    service: 'rabbitmq',
    imports: ['connect', 'amqplib/callback_api'],
    use: `
      await new Promise((done) => connect(url, (_, connection) => connection.createChannel((_, channel) => {
        channel.assertQueue(name, { durable: false }, () => {
          channel.consume(name, () => setImmediate(() => connection.close(done)), { noAck: true });
          channel.sendToQueue(name, Buffer.from('text'));
        });
      })));`,
  },
  kafkajs: {
    service: 'kafka',
    imports: ['Kafka, logLevel', 'kafkajs'],
    use: `
      const kafka = new Kafka({ brokers: [new URL(url).host], logLevel: logLevel.NOTHING });
      const admin = kafka.admin();
      const producer = kafka.producer();
      await Promise.all([admin.connect(), producer.connect()]);
      await admin.createTopics({ topics: [{ topic: name, numPartitions: 1, replicationFactor: 1 }] });
      await producer.send({ topic: name, messages: [{ value: 'text' }] });
      const consumer = kafka.consumer({ groupId: name, maxWaitTimeInMs: 50 });
      await consumer.connect();
      await consumer.subscribe({ topic: name, fromBeginning: true });
      await new Promise((done) => consumer.run({ eachMessage: async () => void setImmediate(done) }));
      await Promise.all([admin.disconnect(), producer.disconnect(), consumer.disconnect()]);`,
  },
  mqtt: {
    service: 'mqtt',
    imports: ['connect', 'mqtt'],
    use: `
      const client = connect(url, { protocolVersion: 5 });
      client.subscribe(name, () => client.publish(name, 'text', () => undefined));
      await new Promise((resolve) => client.once('message', () => setImmediate(resolve)));
      await new Promise((resolve) => client.end(false, {}, resolve));`,
  },
  ...Object.fromEntries(
    ['nats', '@nats-io/transport-node'].map((module): [string, Library] => [
      module,
      {
        service: 'nats',
        imports: ['connect', module],
        use: `
          const connection = await connect({ servers: url });
          const heard = new Promise((resolve) => {
            connection.subscribe(name, { callback: () => setImmediate(resolve) });
          });
          connection.publish(name, 'text');
          await heard;
          await connection.close();`,
      },
    ]),
  ),
};

for (const [title, { service, imports, use }] of Object.entries(LIBRARIES)) {
  describe(`${title} in an application with the preload`, function () {
    this.timeout(120_000);
    let url: string;

    before(async function () {
      url = await requireService(this, service);
    });

    const [names, module] = imports;
    const prelude = `const url = process.env.URL; const name = process.env.NAME;`;
    for (const [kind, source] of [
      ['module', `import { ${names} } from '${module}'; ${prelude} ${use}`],
      [
        'commonjs',
        `const { ${names} } = require('${module}'); ${prelude} (async () => { ${use} })();`,
      ],
    ] as const) {
      it(`is instrumented in an application of the kind ${kind}`, async () => {
        const name = `modules-${kind}-${process.pid}-${title.replaceAll(/\W/g, '')}`;
        const env = { URL: url, NAME: name, KAFKAJS_NO_PARTITIONER_WARNING: '1' };
        const spans = await runApplication(source, kind, env);
        assert.deepEqual(spans.map((span) => span.name).sort(), [
          `process ${name}`,
          `send ${name}`,
        ]);
      });
    }
  });
}
