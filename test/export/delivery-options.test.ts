import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';

import { defaultSpoolFolder, readDeliveryOptions } from '../../src/export/delivery-options.ts';
import { resolveOptions, type DeliveryOptions } from '../../src/export/options.ts';
import { skipSuite } from '../support/services.ts';
import { makeCertificates } from './support/certificates.ts';

function read(env: Record<string, string>): DeliveryOptions {
  const { options, problems } = readDeliveryOptions(env);
  assert.deepEqual(problems, []);
  return options;
}

/** What a bad value makes: the default, and one complaint, which is returned. */
function complaint(env: Record<string, string>): string {
  const { options, problems } = readDeliveryOptions(env);
  assert.deepEqual(options, readDeliveryOptions({}).options);
  assert.equal(problems.length, 1);
  assert.equal(problems[0]?.code, 'ERR_OPTION');
  return problems[0].message;
}

const OTLP = 'OTEL_EXPORTER_OTLP';

describe('readDeliveryOptions', () => {
  let folder: string;
  before(() => (folder = mkdtempSync(join(tmpdir(), 'clew-options-'))));
  after(() => rmSync(folder, { recursive: true }));

  function writeFiles<Name extends string>(texts: Record<Name, string>): Record<Name, string> {
    const files = Object.entries<string>(texts).map(([name, text]) => {
      const path = join(folder, name);
      writeFileSync(path, text);
      return [name, path];
    });
    return Object.fromEntries(files) as Record<Name, string>;
  }

  it('leaves everything but the address to the defaults where nothing is set', () => {
    assert.deepEqual(read({}), { url: 'http://127.0.0.1:4318/v1/traces' });
    const empty = { [`${OTLP}_HEADERS`]: '', OTEL_BSP_SCHEDULE_DELAY: ' ', CLEW_SPOOL: '' };
    assert.deepEqual(read(empty), read({}));
  });

  // Each: variable, its value, the option, the option's value, and a value that makes no sense.
  const VARIABLES: [string, string, keyof DeliveryOptions, unknown, string][] = [
    [`${OTLP}_ENDPOINT`, 'http://h:1/base', 'url', 'http://h:1/base/v1/traces', 'h:1'],
    [`${OTLP}_TRACES_ENDPOINT`, 'http://h:1/own', 'url', 'http://h:1/own', 'unix:/x'],
    [`${OTLP}_PROTOCOL`, 'http/json', 'protocol', 'http/json', 'carrier pigeon'],
    [`${OTLP}_TRACES_PROTOCOL`, 'HTTP/JSON', 'protocol', 'http/json', 'grpc'],
    [`${OTLP}_COMPRESSION`, 'gzip', 'compression', 'gzip', 'zstd'],
    [`${OTLP}_TRACES_COMPRESSION`, 'none', 'compression', 'none', 'lzw'],
    [`${OTLP}_TIMEOUT`, '2500', 'timeoutMillis', 2500, 'long'],
    [`${OTLP}_TRACES_TIMEOUT`, '70', 'timeoutMillis', 70, '-1'],
    [`${OTLP}_TIMEOUT`, '0', 'timeoutMillis', 2 ** 31 - 1, '1.5'],
    ['OTEL_BSP_SCHEDULE_DELAY', '50', 'scheduleDelayMillis', 50, 'soon'],
    ['OTEL_BSP_MAX_QUEUE_SIZE', '4096', 'maxQueueSpans', 4096, '0'],
    ['OTEL_BSP_MAX_EXPORT_BATCH_SIZE', '100', 'maxBatchSpans', 100, '0'],
    ['OTEL_BSP_EXPORT_TIMEOUT', '1000', 'flushTimeoutMillis', 1000, 'never'],
    ['CLEW_SPOOL', '/var/lib/shop/spool', 'spool', '/var/lib/shop/spool', 'spool'],
    ['CLEW_SPOOL_MAX_BYTES', '1000000', 'spoolMaxBytes', 1_000_000, '0'],
    ['CLEW_SPOOL_MAX_AGE', '3600000', 'spoolMaxAgeMillis', 3_600_000, '1h'],
    ['CLEW_EXPORT_MAX_QUEUE_BYTES', '1000000', 'maxQueueBytes', 1_000_000, 'much'],
    ['CLEW_EXPORT_ON_OVERFLOW', 'block', 'onOverflow', 'block', 'panic'],
    ['CLEW_EXPORT_EXIT_WAIT', '300', 'exitStallMillis', 300, '0'],
    ['CLEW_EXPORT_THREAD', '0', 'thread', false, 'maybe'],
  ];
  for (const [variable, value, option, expected, bad] of VARIABLES) {
    it(`reads ${variable}=${value}, and refuses ${bad}`, () => {
      const options = read({ [variable]: value });
      assert.equal(options[option], expected);
      resolveOptions(options);
      assert.ok(complaint({ [variable]: bad }).includes(variable));
    });
  }

  it('prefers what is set for traces alone', () => {
    const options = read({
      [`${OTLP}_COMPRESSION`]: 'none',
      [`${OTLP}_TRACES_COMPRESSION`]: 'gzip',
      [`${OTLP}_TIMEOUT`]: '1',
      [`${OTLP}_TRACES_TIMEOUT`]: '2',
      [`${OTLP}_ENDPOINT`]: 'http://a',
      [`${OTLP}_TRACES_ENDPOINT`]: 'http://b/',
      [`${OTLP}_HEADERS`]: 'X-Both=all,x-all=1',
      [`${OTLP}_TRACES_HEADERS`]: 'x-both=traces',
    });
    assert.equal(options.compression, 'gzip');
    assert.equal(options.timeoutMillis, 2);
    assert.equal(options.url, 'http://b/');
    assert.deepEqual(options.headers, { 'x-both': 'traces', 'x-all': '1' });
  });

  it('decodes headers, and takes = within a value', () => {
    const { headers } = read({ [`${OTLP}_HEADERS`]: ' authorization = Basic%20dTpw , key=YQ== ' });
    assert.deepEqual(headers, { authorization: 'Basic dTpw', key: 'YQ==' });
  });

  for (const bad of ['hunter2', 'key=%ff%hunter2', 'key=hunter2%0d%0aX-Evil: 1', 'a b=hunter2']) {
    it(`leaves out the header ${bad}, naming the variable and not the value`, () => {
      const message = complaint({ [`${OTLP}_HEADERS`]: bad });
      assert.match(message, /`OTEL_EXPORTER_OTLP_HEADERS`/);
      assert.doesNotMatch(message, /hunter2/);
    });
  }

  it('reads certificates from the files that are named, and names a missing one', function () {
    const made = makeCertificates();
    if (!made) skipSuite(this, 'TLS: no openssl on this machine to make certificates');
    const { ca, client } = made;
    const files = writeFiles({ ca, cert: client.cert, key: client.key });
    const { tls } = read({
      [`${OTLP}_CERTIFICATE`]: files['ca'],
      [`${OTLP}_TRACES_CLIENT_CERTIFICATE`]: files['cert'],
      [`${OTLP}_CLIENT_KEY`]: files['key'],
    });
    assert.deepEqual(tls, { ca, ...client });
    const alone = complaint({ [`${OTLP}_CLIENT_KEY`]: files['key'] });
    assert.match(alone, /OTLP_CLIENT_KEY.* needs .*OTLP_CLIENT_CERTIFICATE.* beside it/);
    for (const name of ['CERTIFICATE', 'CLIENT_CERTIFICATE', 'CLIENT_KEY']) {
      const missing = complaint({ [`${OTLP}_${name}`]: join(folder, 'missing') });
      assert.match(missing, new RegExp(`OTLP_${name}.*ENOENT`));
    }
  });

  for (const name of ['CERTIFICATE', 'CLIENT_CERTIFICATE', 'CLIENT_KEY']) {
    it(`refuses what is no PEM file for ${name}, and shows nothing of it`, () => {
      const files = writeFiles({ other: 'hunter2' });
      const key = '-----BEGIN PRIVATE KEY-----\nhunter2\n-----END PRIVATE KEY-----';
      for (const [value, expected] of [
        [files['other'], /names a file without a readable (certificate|private key)/],
        [key, /has to be the path of a PEM file/],
        [key.replaceAll('\n', '\\n'), /has to be the path of a PEM file/],
        [folder, /does not name a PEM file|EISDIR/],
        ['/dev/zero', /does not name a PEM file/],
      ] as const) {
        const message = complaint({ [`${OTLP}_${name}`]: value });
        assert.match(message, expected);
        assert.match(message, new RegExp(`OTLP_${name}\``));
        assert.doesNotMatch(message, /hunter2/);
      }
    });
  }

  it('does not wait for a pipe in the place of a file', () => {
    execFileSync('mkfifo', [join(folder, 'pipe')]);
    const message = complaint({ [`${OTLP}_CERTIFICATE`]: join(folder, 'pipe') });
    assert.match(message, /does not name a PEM file/);
  });

  for (const endpoint of [
    'user:hunter2@127.0.0.1:4318',
    'hunter2',
    'grpc://user:hunter2@127.0.0.1:4317',
    'http://user:hunter2@h:port',
    'http://h:port?key=hunter2',
    'hunter2:4318',
  ]) {
    it(`shows at most the scheme of the endpoint ${endpoint}`, () => {
      const message = complaint({ [`${OTLP}_ENDPOINT`]: endpoint });
      assert.match(message, /`OTEL_EXPORTER_OTLP_ENDPOINT` to be a URL/);
      assert.doesNotMatch(message, /hunter2|user/);
      assert.throws(
        () => resolveOptions({ url: endpoint }),
        ({ message: thrown }: Error) => !/hunter2|user/.test(thrown),
      );
    });
  }

  it('puts a spool that is only switched on into the user’s state folder, never a shared one', () => {
    for (const on of ['1', 'true', 'ON']) {
      assert.equal(read({ CLEW_SPOOL: on }).spool, defaultSpoolFolder({}));
    }
    for (const off of ['0', 'false', 'off'])
      assert.equal(read({ CLEW_SPOOL: off }).spool, undefined);
    assert.ok(defaultSpoolFolder({}).startsWith(homedir()));
    assert.equal(defaultSpoolFolder({ XDG_STATE_HOME: '/s' }), '/s/clew/spool');
    assert.equal(defaultSpoolFolder({ XDG_STATE_HOME: 'relative' }), defaultSpoolFolder({}));
    assert.ok(!defaultSpoolFolder({ TMPDIR: '/t' }).startsWith('/t'));
  });
});

describe('resolveOptions', () => {
  it('compresses unless the collector is on this machine', () => {
    const of = (url: string): string => resolveOptions({ url }).sender.target.compression;
    for (const host of ['localhost', '127.0.0.1', '127.1.2.3', '[::1]']) {
      assert.equal(of(`http://${host}:4318/`), 'none');
    }
    for (const host of ['collector', '10.0.0.1', 'localhost.example', '[2001:db8::1]']) {
      assert.equal(of(`http://${host}:4318/`), 'gzip');
    }
  });

  const WRONG: [DeliveryOptions, RegExp][] = [
    [
      { url: 'ftp://user:hunter2@h' },
      /`url` to be a URL such as .*, got one that begins with `ftp:\/\/`/,
    ],
    [{ maxInFlight: 0 }, /`maxInFlight` to be a positive number, got `0`/],
    [{ timeoutMillis: Number.NaN }, /`timeoutMillis`/],
    [{ protocol: 'grpc' as 'http/json' }, /`protocol` to be http\/protobuf or http\/json/],
    [{ compression: 'zstd' as 'gzip' }, /`compression`/],
    [{ onOverflow: 'panic' as 'block' }, /`onOverflow`/],
  ];
  for (const [options, message] of WRONG) {
    it(`refuses ${Object.keys(options).join()} that makes no sense, and leaks nothing`, () => {
      assert.throws(() => resolveOptions(options), { code: 'ERR_OPTION', message });
    });
  }
});
