import assert from 'node:assert/strict';

import { OtlpReceiver } from '../../../support/otlp-receiver.ts';
import { toObject } from '../../../support/otlp-types.ts';
import { REGISTER_URL, runNode } from '../../../support/run-node.ts';

/** A server whose request `/` throws `boom` in one of several ways, while `/other` waits. */
const program = (thrown: string, more = ''): string => `
  import http from 'node:http';
  ${more}
  const server = http.createServer(async (request, response) => {
    if (request.url === '/other') return;
    setTimeout(() => response.end('late'), 2000).unref();
    ${thrown}
  }).listen(0, '127.0.0.1', async () => {
    const get = (path) => http.get({ port: server.address().port, path, agent: false })
      .on('response', (response) => response.resume().on('end', () => process.exit(7)))
      .on('error', () => undefined);
    get('/other').on('socket', (socket) => socket.on('connect', () => setTimeout(get, 50, '/')));
  });`;

describe('an exception that nothing catches', () => {
  let receiver: OtlpReceiver;

  beforeEach(async () => {
    receiver = await new OtlpReceiver().listen();
  });
  afterEach(() => receiver.close());

  const crash = async (source: string): ReturnType<typeof runNode> =>
    runNode(['--import', REGISTER_URL, '--input-type=module', '--eval', source], {
      env: {
        OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
      },
    });
  const served = (): { name: string; error: unknown; events: string[] }[] =>
    receiver.spans
      .filter(({ kind }) => kind === 2)
      .map(({ name, attributes, events }) => ({
        name,
        error: toObject(attributes)['error.type'],
        events: events.map((event) => String(toObject(event.attributes)['exception.message'])),
      }));

  for (const [how, thrown] of [
    ['by a timer', `setTimeout(() => { throw new RangeError('boom'); }, 10);`],
    ['by a callback', `process.nextTick(() => { throw new RangeError('boom'); });`],
    ['by an async handler', `await undefined; throw new RangeError('boom');`],
  ] as const) {
    it(`ends the span of its request where it is thrown ${how}`, async () => {
      const { code, stderr } = await crash(program(thrown));
      assert.equal(code, 1);
      assert.match(stderr, /RangeError: boom/);
      assert.deepEqual(served(), [{ name: 'GET', error: 'RangeError', events: ['boom'] }]);
    });
  }

  it('leaves the span open where the application goes on', async () => {
    const handler = `process.on('uncaughtException', () => undefined);`;
    const timer = `setTimeout(() => { throw new RangeError('boom'); }, 10);
      setTimeout(() => response.end('done'), 100);`;
    const { code } = await crash(program(timer, handler));
    assert.equal(code, 7);
    assert.deepEqual(
      served().map(({ error, events }) => [error, events]),
      [[undefined, ['boom']]],
    );
  });

  it('is as it was where no request is under way', async () => {
    const { code, stderr } = await crash(`setTimeout(() => { throw new Error('boom'); }, 10);`);
    assert.equal(code, 1);
    assert.match(stderr, /Error: boom/);
    assert.doesNotMatch(stderr, /clew/);
  });
});
