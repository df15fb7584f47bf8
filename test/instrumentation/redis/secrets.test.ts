import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';

import { JsonTraceSerializer } from '@opentelemetry/otlp-transformer';
import { Redis } from 'ioredis';
import { createClient, type RedisClientType } from 'redis';

import { getInstrumentations, type Instrumentation } from '../../../src/instrumentation/index.ts';
import { exchangeOf } from '../../../src/instrumentation/redis/message-commands.ts';
import { requireService } from '../../support/services.ts';
import { registerTelemetry, type Telemetry } from '../support/telemetry.ts';
import { generateCalls, type GeneratedCall } from './server-commands.ts';

/** Commands as an application would send them, all of whose values begin with `secret`. */
const SENSITIVE = [
  'AUTH default secret1',
  'HELLO 2 AUTH default secret1 SETNAME secret2',
  'ACL SETUSER bob on >secret1 ~secret2* +@all',
  'ACL DELUSER secret1',
  'CONFIG SET maxmemory-policy secret1',
  'CLIENT SETNAME secret1',
  'MIGRATE 127.0.0.1 1 key 0 10 AUTH2 secret1 secret2',
  'SET key secret1 EX 100',
  'GETSET key secret1',
  'MSET key secret1 key:2 secret2',
  'APPEND key secret1',
  'EVAL return{KEYS[1],ARGV[1]} 1 key secret1',
  'SADD key:set secret1 secret2',
  'SISMEMBER key:set secret1',
  'SMISMEMBER key:set secret1 secret2',
  'HSET key:hash secret1 secret2',
  'HGET key:hash secret1',
  'ZADD key:zset 1 secret1',
  'ZRANGEBYLEX key:zset [secret1 [secret2',
  'LPUSH key:list secret1',
  'LPOS key:list secret1',
  'XADD key:stream * secret1 secret2',
  'GEOADD key:geo 1 1 secret1',
  'PFADD key:hll secret1',
  'SETBIT key:bits secret1 1',
  'PUBLISH secret1 secret2',
  'XREADGROUP GROUP secret1 secret2 STREAMS key:stream secret3',
  'NO.SUCH.COMMAND secret1',
  'FCALL secret1 0',
  'EVALSHA secret1 0',
]
  .map((line) => line.split(' '))
  .concat([['AUTH secret1'], ['secret1'], ['secret1', 'secret2'], ['GET secret1', 'secret2']]);

describe('what is exported of Redis commands', function () {
  this.timeout(120_000);
  let url: string;
  let calls: GeneratedCall[];
  let standIn: Server;
  let telemetry: Telemetry;
  let instrumentations: Instrumentation[];

  before(async function () {
    url = await requireService(this, 'redis');
    const client: RedisClientType = createClient({ url });
    await client.connect();
    calls = await generateCalls(client);
    client.destroy();
    standIn = createServer(answer).listen(0, '127.0.0.1');
    await once(standIn, 'listening');
  });

  after(() => standIn?.close());

  beforeEach(() => {
    telemetry = registerTelemetry();
    instrumentations = getInstrumentations({ all: { requireParent: false } }).filter(
      ({ instrumentationName }) => /^clew\/(?:io)?redis$/.test(instrumentationName),
    );
    for (const instrumentation of instrumentations) instrumentation.enable();
  });

  afterEach(() => {
    for (const instrumentation of instrumentations) instrumentation.disable();
  });

  /** Everything that was exported since the last time, as it goes over the wire. */
  const exported = ([name]: readonly string[]): string => {
    const spans = telemetry.spans();
    // A cluster says it of its own accord, and only it has a use for it.
    assert.equal(spans.length, name === 'asking' && spans.length === 0 ? 0 : 1, name);
    telemetry.reset();
    return new TextDecoder().decode(JsonTraceSerializer.serializeRequest(spans));
  };
  const assertNoLeak = (command: readonly string[], keys: Iterable<string>): void => {
    const [name = '', ...args] = command;
    // The conventions have the names of channels and of groups of consumers shown.
    const { destination = '', consumerGroup = '' } = exchangeOf(name, args) ?? {};
    const shown = new Set([...keys, destination, consumerGroup]);
    const leaked = (exported(command).match(/secret\d/g) ?? []).filter((part) => !shown.has(part));
    assert.deepEqual(leaked, [], command.join(' '));
  };

  const clients: Record<string, (port: number) => Promise<Connected>> = {
    ioredis: async (port) => {
      const redis = new Redis(port, '127.0.0.1', { enableReadyCheck: false });
      await once(redis, 'ready');
      return {
        send: ([name = '', ...args]) => redis.call(name, ...args),
        close: () => redis.disconnect(),
      };
    },
    redis: async (port) => {
      const client = createClient({ socket: { host: '127.0.0.1', port }, RESP: 2 });
      await client.connect();
      return { send: (command) => client.sendCommand(command), close: () => client.destroy() };
    },
  };

  for (const [name, open] of Object.entries(clients)) {
    it(`holds no value, whatever command ${name} sends and whatever is answered`, async () => {
      const client = await open((standIn.address() as { port: number }).port);
      telemetry.reset();
      for (const { command, keys } of calls) {
        await client.send(command).catch(() => undefined);
        assertNoLeak(command, keys);
      }
      client.close();
    });

    it(`holds no value of what ${name} sends to a real server`, async () => {
      const client = await open(Number(new URL(url).port));
      telemetry.reset();
      for (const command of SENSITIVE) {
        await client.send(command).catch(() => undefined);
        assertNoLeak(command, []);
      }
      await client.send(['ACL', 'DELUSER', 'bob']);
      client.close();
    });
  }
});

interface Connected {
  send(command: string[]): Promise<unknown>;
  close(): void;
}

/**
 * A server that carries out nothing. It says OK to what connections are set up with, and refuses
 * everything else with all that it was sent, which no real server does to every command.
 */
function answer(socket: Socket): void {
  let received = '';
  socket.on('error', () => undefined);
  socket.on('data', (chunk) => {
    received += chunk.toString();
    for (let command = read(received); command; command = read(received)) {
      received = received.slice(command.length);
      const [name = '', second = ''] = command.args;
      const isSetUp = /^(?:client|select)$/i.test(name) && /^(?:setinfo|0)$/i.test(second);
      if (isSetUp) socket.write('+OK\r\n');
      else if (name.toLowerCase() === 'hello' && second === '3') socket.write('%0\r\n');
      else socket.write(`-ERR refused: ${command.args.join(' ')}\r\n`);
    }
  });
}

/** The first command in `text`, if it is there as a whole. */
function read(text: string): { args: string[]; length: number } | undefined {
  const lines = text.split('\r\n');
  const count = Number(/^\*(\d+)$/.exec(lines[0] ?? '')?.[1]);
  if (!(lines.length > 2 * count + 1)) return undefined;
  const own = lines.slice(0, 2 * count + 1);
  const args = own.filter((_, index) => index > 0 && index % 2 === 0);
  return { args, length: own.join('\r\n').length + 2 };
}
