import assert from 'node:assert/strict';
import * as asyncHooks from 'node:async_hooks';

import { AsyncResourceTracer } from '../../src/tracer/async-resource-tracer.ts';
import { asyncWrapProviders } from '../../src/tracer/providers.ts';
import { makers } from './support/make-resources.ts';

/** Types of `asyncWrapProviders` that no portable program can make, each with its reason. */
const UNREACHABLE: Record<string, string> = {
  NONE: 'the null value of the list; no resource has it',
  ARGON2REQUEST: 'made by crypto.argon2, which needs OpenSSL 3.2 and is missing from some builds',
  BLOBREADER: 'readers of a Blob are created without an async hook event on every line',
  CIPHERREQUEST: 'Web Crypto runs it as a job whose events this Node need not emit',
  DTLS_ENDPOINT: 'needs --experimental-dtls',
  DTLS_SESSION: 'needs --experimental-dtls',
  ELDHISTOGRAM: 'an interval histogram makes no async calls, so it has no events',
  HASHREQUEST: 'Web Crypto digests run synchronously below a size on some lines',
  HEAPSNAPSHOT: 'a stream over the whole heap: seconds of pause, for a type that only reads',
  JSUDPWRAP: 'internal, for QUIC over JavaScript sockets',
  KEYEXPORTREQUEST: 'Web Crypto internals; exportKey is synchronous on some lines',
  LOCKS: 'navigator.locks, which not every line has',
  QUIC_ENDPOINT: 'needs --experimental-quic',
  QUIC_LOGSTREAM: 'needs --experimental-quic',
  QUIC_PACKET: 'needs --experimental-quic',
  QUIC_SESSION: 'needs --experimental-quic',
  QUIC_STREAM: 'needs --experimental-quic',
  QUIC_UDP: 'needs --experimental-quic',
  SIGINTWATCHDOG: 'made by the REPL and vm with breakOnSigint only',
  STREAMPIPE: 'internal; made where a file handle answers an http2 request',
  TTYWRAP: 'needs a terminal',
  UDPSENDWRAP: 'made only when the kernel does not take a datagram at once',
  VERIFYREQUEST: 'Node files verifications under SIGNREQUEST',
  WORKERCPUPROFILE: 'worker.startCpuProfile, which not every line has',
  WORKERCPUUSAGE: 'worker.cpuUsage, which not every line has',
  WORKERHEAPPROFILE: 'worker.startHeapProfile, which not every line has',
  WORKERHEAPSNAPSHOT: 'a stream over the whole heap of a worker',
  WORKERHEAPSTATISTICS: 'worker.getHeapStatistics, which not every line has',
};

describe('the types of asyncWrapProviders', function () {
  this.timeout(120_000);

  it('are each made by a test here or listed with the reason they cannot be', () => {
    const types = Object.keys(asyncWrapProviders);
    assert.equal(types.length > 40, true);
    const missing = types.filter((type) => !(type in makers) && !(type in UNREACHABLE));
    assert.deepEqual(missing, []);
  });

  it('are listed by Node itself', () => {
    assert.equal('asyncWrapProviders' in asyncHooks, true);
  });

  for (const [type, make] of Object.entries(makers)) {
    it(`records ${type}`, async function () {
      const seen = new Set<string>();
      const tracer = new AsyncResourceTracer({
        stacks: false,
        onTrace: ({ records }) => records.forEach((record) => seen.add(record.type)),
      });
      tracer.start('deep');
      try {
        await make();
      } finally {
        tracer.stop();
      }
      assert.ok(seen.has(type), `seen: ${[...seen].join(', ')}`);
    });
  }
});
