import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { findBinary } from './find-binary.ts';
import { goBinary, type GoProgram } from './go-build.ts';
import { freePort, launch, temporaryFolder, type Instance } from './instances.ts';

/* Brokers: RabbitMQ and mosquitto as the distribution has them, NATS and a stand-in for Kafka by Go. */

const folderOf = (name: string): string =>
  fileURLToPath(new URL(`../../../test/support/${name}/`, import.meta.url));

/** The NATS server; `nats/` pins it by go.mod and go.sum. */
export const NATS: GoProgram = {
  name: 'NATS',
  version: '2.12.3',
  sources: () => folderOf('nats'),
  main: 'github.com/nats-io/nats-server/v2',
};

/**
 * kfake of franz-go, a cluster in memory behind Kafka's wire protocol: no package manager brings a
 * broker. Its versions are commits; `kafka/` pins this one by go.mod and go.sum.
 */
export const KAFKA: GoProgram = {
  name: 'Kafka-stand-in',
  version: '0.20260421',
  sources: () => folderOf('kafka'),
  main: '.',
};

/** The topics of the stand-in, which makes no others unless a client creates them. */
export const KAFKA_TOPICS = ['orders', 'invoices'] as const;

/** What a suite that asks for RabbitMQ allows for it to start, in milliseconds. */
export const RABBITMQ_PATIENCE = 120_000;

/**
 * RabbitMQ in a folder of its own. Erlang's port mapper, which a node would start and leave behind, is
 * a child of this process and goes with it.
 */
export async function rabbitmq(): Promise<Instance | string> {
  // The script on the PATH runs as another user and in folders of the installation.
  const server = findBinary(['rabbitmq-server'], ['/usr/lib/rabbitmq/bin']);
  const mapper = findBinary(['epmd']);
  if (!server || !mapper) return 'no rabbitmq-server and epmd on this machine';
  const names = temporaryFolder(undefined);
  const folder = temporaryFolder(undefined);
  const [namePort, nodePort, port] = [await freePort(), await freePort(), await freePort()];
  const args = ['-port', String(namePort), '-address', '127.0.0.1'];
  const epmd = await launch({ command: mapper, args, port: namePort, folder: names });
  const plugins = join(folder, 'plugins');
  writeFileSync(plugins, '[].\n');
  const env = {
    HOME: folder,
    ERL_EPMD_ADDRESS: '127.0.0.1',
    ERL_EPMD_PORT: String(namePort),
    // Runs the node in place of a shell that would stand between it and a signal.
    RUNNING_UNDER_SYSTEMD: '1',
    RABBITMQ_NODENAME: `clew${port}@localhost`,
    RABBITMQ_NODE_IP_ADDRESS: '127.0.0.1',
    RABBITMQ_NODE_PORT: String(port),
    RABBITMQ_DIST_PORT: String(nodePort),
    RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS: '-kernel inet_dist_use_interface {127,0,0,1} +sbwt none',
    RABBITMQ_MNESIA_BASE: join(folder, 'mnesia'),
    RABBITMQ_LOG_BASE: join(folder, 'log'),
    RABBITMQ_LOGS: '-',
    RABBITMQ_PID_FILE: join(folder, 'pid'),
    RABBITMQ_CONF_ENV_FILE: join(folder, 'env'),
    RABBITMQ_CONFIG_FILES: join(folder, 'conf.d'),
    RABBITMQ_ENABLED_PLUGINS_FILE: plugins,
    RABBITMQ_FEATURE_FLAGS_FILE: join(folder, 'feature_flags'),
  };
  mkdirSync(join(folder, 'conf.d'));
  writeFileSync(join(folder, 'env'), '');
  const ready = /Server startup complete/;
  try {
    const patience = RABBITMQ_PATIENCE;
    const options = { port, folder, env, ready, patience };
    const node = await launch({ command: server, args: [], ...options });
    const stop = async (): Promise<void> => {
      await node.stop();
      await epmd.stop();
    };
    return { url: `amqp://guest:guest@127.0.0.1:${port}`, stop };
  } catch (error) {
    await epmd.stop();
    throw error;
  }
}

export async function mosquitto(): Promise<Instance | string> {
  const server = findBinary(['mosquitto']);
  if (!server) return 'no mosquitto on this machine';
  const folder = temporaryFolder(undefined);
  const port = await freePort();
  const config = join(folder, 'mosquitto.conf');
  writeFileSync(config, `listener ${port} 127.0.0.1\nallow_anonymous true\nuser root\n`);
  const instance = await launch({ command: server, args: ['-c', config], port, folder });
  return { ...instance, url: `mqtt://127.0.0.1:${port}` };
}

export async function nats(): Promise<Instance | string> {
  const found = goBinary(NATS);
  // That of the distribution is older, and does.
  const command = typeof found === 'string' ? findBinary(['nats-server']) : found.binary;
  if (command === undefined) return 'no nats-server on this machine, and none built';
  const folder = temporaryFolder(undefined);
  const port = await freePort();
  const args = ['-a', '127.0.0.1', '-p', String(port), '--jetstream', '-sd', folder];
  const instance = await launch({ command, args, port, folder, ready: /Server is ready/ });
  return { ...instance, url: `nats://127.0.0.1:${port}` };
}

export async function kafka(): Promise<Instance | string> {
  const server = goBinary(KAFKA);
  if (typeof server === 'string') return `no KAFKA_URL, and ${server}`;
  const folder = temporaryFolder(undefined);
  const port = await freePort();
  const args = [String(port), ...KAFKA_TOPICS];
  const instance = await launch({ command: server.binary, args, port, folder });
  console.log("Kafka is a stand-in: kfake of franz-go, Kafka's wire protocol over memory.");
  return { ...instance, url: `kafka://127.0.0.1:${port}` };
}
