import assert from 'node:assert/strict';

import { askForNames, notedName, noteName } from '../../src/carry/request-names.ts';
import { OtlpReceiver } from '../support/otlp-receiver.ts';
import { toObject } from '../support/otlp-types.ts';
import { fixture, REGISTER_URL, RunningNode } from '../support/run-node.ts';

describe('the name of a request that is under way', () => {
  it('is kept only while it is needed, and the last one holds', () => {
    const span = {};
    noteName(span, 'GET', '/early');
    assert.equal(notedName(span), undefined);
    const stop = askForNames();
    noteName(span, 'GET', '/users');
    noteName(span, 'GET', '/users/:id');
    assert.equal(notedName(span), 'GET /users/:id');
    noteName(span, 'GET', undefined);
    assert.equal(notedName(span), undefined);
    stop();
    stop();
    noteName(span, 'GET', '/late');
    assert.equal(notedName(span), undefined);
  });

  it('is what a blocked request calls the one that held the loop, by its route', async function () {
    this.timeout(120_000);
    const receiver = await new OtlpReceiver().listen();
    const app = new RunningNode(['--import', REGISTER_URL, fixture('routed-app.mjs')], {
      env: { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url, CLEW_TRACER: 'watch' },
    });
    const [, port] = await app.waitFor(/port (\d+)/);
    const ask = (path: string): Promise<Response> => fetch(`http://127.0.0.1:${port}${path}`);
    await Promise.all([ask('/users/7'), ask('/wait')]);
    app.child.kill('SIGTERM');
    const { code, stderr } = await app.result();
    await receiver.close();
    assert.equal(code, 0, stderr);
    const waited = receiver.spans.find(({ name }) => name === 'GET');
    assert.equal(toObject(waited?.attributes ?? [])['clew.blocked_by'], 'GET /users/:id');
  });
});
