import assert from 'node:assert/strict';

import { HttpTransport, type Target } from '../../../src/export/sender/http-transport.ts';
import { buildBody } from '../../../src/export/encoding/request-body.ts';
import { startReceiver, type OtlpReceiver } from '../../support/otlp-receiver.ts';
import { makeCertificates, type Certificates } from '../support/certificates.ts';
import { makeSlice, makeSpan } from '../support/spans.ts';
import { skipSuite } from '../../support/services.ts';

describe('HttpTransport', () => {
  const transports: HttpTransport[] = [];
  const receivers: OtlpReceiver[] = [];

  afterEach(async () => {
    for (const transport of transports.splice(0)) transport.close();
    for (const receiver of receivers.splice(0)) await receiver.close();
  });

  async function receive(options: Parameters<typeof startReceiver>[0] = {}): Promise<OtlpReceiver> {
    const receiver = await startReceiver(options);
    receivers.push(receiver);
    return receiver;
  }

  function connect(receiver: OtlpReceiver, target: Partial<Target> = {}): HttpTransport {
    const transport = new HttpTransport(
      {
        url: `${receiver.url}/v1/traces`,
        protocol: 'http/protobuf',
        compression: 'none',
        headers: {},
        timeoutMillis: 5000,
        ...target,
      },
      4,
    );
    transports.push(transport);
    return transport;
  }

  const body = (): Buffer => buildBody([makeSlice([makeSpan(), makeSpan()])]);

  for (const protocol of ['http/protobuf', 'http/json'] as const) {
    for (const compression of ['none', 'gzip'] as const) {
      it(`sends ${protocol} with compression ${compression}, and sets the headers`, async () => {
        const receiver = await receive();
        const headers = { authorization: 'Bearer x' };
        const outcome = await connect(receiver, { protocol, compression, headers }).post(body());
        assert.deepEqual(outcome, { kind: 'accepted', rejected: 0, message: '' });
        assert.deepEqual(
          receiver.spans.map(({ name }) => name),
          ['SELECT users', 'SELECT users'],
        );
        assert.equal(receiver.spans[0]?.resource['service.name'], 'shop');
        const { headers: sent, url } = receiver.requests[0] ?? { headers: {}, url: '' };
        const type = protocol === 'http/json' ? 'application/json' : 'application/x-protobuf';
        assert.equal(sent['content-type'], type);
        assert.equal(sent['content-encoding'], compression === 'gzip' ? 'gzip' : undefined);
        assert.equal(sent['authorization'], 'Bearer x');
        assert.equal(url, '/v1/traces');
      });

      it(`reads a partial success of ${protocol} with compression ${compression}`, async () => {
        const receiver = await receive({ fault: () => ({ rejectSpans: () => true }) });
        assert.deepEqual(await connect(receiver, { protocol, compression }).post(body()), {
          kind: 'accepted',
          rejected: 2,
          message: 'rejected by the test',
        });
      });
    }
  }

  it('keeps its connection open for the next request', async () => {
    const receiver = await receive();
    const transport = connect(receiver);
    for (let i = 0; i < 5; i++) await transport.post(body());
    assert.equal(receiver.connections, 1);
  });

  it('gives a request up when no answer comes in time', async () => {
    const receiver = await receive({ fault: () => ({ hang: true }) });
    const outcome = await connect(receiver, { timeoutMillis: 20 }).post(body());
    assert.deepEqual(outcome, {
      kind: 'unavailable',
      reason: 'no answer within 20 ms',
      advice: 'See the log of the collector. Check OTEL_EXPORTER_OTLP_ENDPOINT.',
      mayBePoison: true,
      isSilent: true,
    });
  });

  describe('over TLS', () => {
    let certificates: Certificates;
    before(function () {
      const made = makeCertificates();
      if (!made) skipSuite(this, 'TLS: no openssl on this machine to make certificates');
      certificates = made;
    });

    it('trusts the authority it is given, and none else', async () => {
      const receiver = await receive({ tls: certificates.server });
      const { ca } = certificates;
      assert.equal((await connect(receiver, { tls: { ca } }).post(body())).kind, 'accepted');
      const stranger = await connect(receiver).post(body());
      assert.equal(stranger.kind, 'unavailable');
      assert.match(stranger.kind === 'unavailable' ? stranger.reason : '', /unknown authority/);
    });

    it('shows its client certificate to a collector that asks', async () => {
      const { ca, server, client } = certificates;
      const receiver = await receive({
        tls: { ...server, ca, requestCert: true, rejectUnauthorized: true },
      });
      assert.equal(
        (await connect(receiver, { tls: { ca, ...client } }).post(body())).kind,
        'accepted',
      );
      assert.equal((await connect(receiver, { tls: { ca } }).post(body())).kind, 'unavailable');
    });
  });
});
