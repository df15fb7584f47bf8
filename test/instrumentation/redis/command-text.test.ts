import assert from 'node:assert/strict';

import { createClient, type RedisClientType } from 'redis';

import { batchText, commandText } from '../../../src/instrumentation/redis/command-text.ts';
import { describeError } from '../../../src/instrumentation/redis/attributes.ts';
import { requireService } from '../../support/services.ts';
import { generateCalls, type GeneratedCall } from './server-commands.ts';

describe('the text of a Redis command', () => {
  const cases: [command: string[], text: string][] = [
    [['GET', 'key'], 'GET key'],
    [['set', 'key', 'value', 'EX', '10'], 'set key ? ? ?'],
    [['MSET', 'a', '1', 'b', '2'], 'MSET a ? b ?'],
    [['OBJECT', 'ENCODING', 'key'], 'OBJECT ENCODING key'],
    [['ACL', 'SETUSER', 'bob', '>secret'], 'ACL SETUSER ? ?'],
    [['CONFIG', 'SET', 'requirepass', 'secret'], 'CONFIG SET ? ?'],
    [['CONFIG', 'secret'], 'CONFIG ?'],
    [['AUTH', 'user', 'secret'], 'AUTH ? ?'],
    [['EVAL', 'return 1', '2', 'a', 'b', 'value'], 'EVAL ? ? a b ?'],
    [['SISMEMBER', 'key', 'member'], 'SISMEMBER key ?'],
    [['PUBLISH', 'channel', 'message'], 'PUBLISH ? ?'],
    [['ZUNIONSTORE', 'to', '2', 'a', 'b', 'WEIGHTS', '1', '2'], 'ZUNIONSTORE to ? a b ? ? ?'],
    [['XREAD', 'COUNT', '2', 'STREAMS', 'a', 'b', '0', '0'], 'XREAD COUNT ? STREAMS a b ? ?'],
    [
      ['xreadgroup', 'GROUP', 'workers', 'one', 'block', '5', 'NOACK', 'streams', 'a', '>'],
      'xreadgroup GROUP ? ? block ? NOACK streams a ?',
    ],
    [['MY.MODULE', 'key'], 'MY.MODULE ?'],
    [['PING'], 'PING'],
  ];
  for (const [[name = '', ...args], text] of cases) {
    it(`reads ${text}`, () => {
      assert.equal(commandText(name, args), text);
    });
  }

  it('shows no key where their number is more than there are arguments', () => {
    assert.equal(commandText('EVAL', ['return 1', '999999999999', 'a']), 'EVAL ? ? a');
    assert.equal(commandText('EVAL', ['return 1', 'NaN', 'a']), 'EVAL ? ? ?');
  });

  it('reads what no client would send', () => {
    const strange: unknown[] = [null, Symbol('a'), Object.create(null), Number.NaN];
    assert.equal(commandText('GET', strange), 'GET ? ? ? ?');
    assert.equal(commandText('EVAL', strange), 'EVAL ? ? ? ?');
    assert.equal(commandText('OBJECT', strange), 'OBJECT ? ? ? ?');
    assert.equal(commandText('__proto__', ['a']), '__proto__ ?');
  });

  it('ends where there is no more room', () => {
    const keys = Array.from({ length: 100_000 }, (_, index) => `key:${index}`);
    assert.ok(commandText('MGET', keys).length < 4200);
    const texts = batchText(keys, (key) => `GET ${key}`);
    assert.ok(texts.length < 4200);
    assert.match(texts, /^GET key:0; GET key:1; /);
  });

  it('records only the code of an error', () => {
    class ReplyError extends Error {}
    const error = new ReplyError("WRONGTYPE what you sent was 'secret'");
    assert.deepEqual(describeError(error), {
      type: 'WRONGTYPE',
      statusCode: 'WRONGTYPE',
      message: 'WRONGTYPE',
    });
    assert.deepEqual(describeError(new ReplyError('secret')), { type: 'ReplyError' });
    assert.deepEqual(describeError(new Error('SECRET')), { type: 'Error' });
    assert.deepEqual(describeError(Object.assign(new Error(), { code: 'ECONNREFUSED' })), {
      type: 'ECONNREFUSED',
      message: 'ECONNREFUSED',
    });
  });

  describe('for every command of the server', () => {
    let client: RedisClientType;
    let calls: GeneratedCall[];

    before(async function () {
      this.timeout(120_000);
      client = createClient({ url: await requireService(this, 'redis') });
      await client.connect();
      calls = await generateCalls(client);
    });

    after(() => client?.destroy());

    it('shows a planted secret in no place but a key', () => {
      for (const { command, keys } of calls) {
        const [name = '', ...args] = command;
        const shown = commandText(name, args).split(' ').slice(1);
        const leaked = shown.filter((part) => part.startsWith('secret') && !keys.has(part));
        assert.deepEqual(leaked, [], command.join(' '));
      }
      assert.ok(calls.length > 1000, `only ${calls.length} were tried`);
    });
  });
});
