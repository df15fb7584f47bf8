import assert from 'node:assert/strict';

import { environment } from '../../src/base/environment.ts';

describe('environment', () => {
  afterEach(() => delete process.env['pm2_env']);

  it('is that of the process', () => {
    assert.equal(environment(), process.env);
  });

  it('has what pm2 in cluster mode is going to set', () => {
    const settings = { OTEL_SERVICE_NAME: 'shop', PORT: 8080, axm_actions: [], autostart: true };
    process.env['pm2_env'] = JSON.stringify(settings);
    const { OTEL_SERVICE_NAME, PORT, PATH, axm_actions } = environment();
    assert.deepEqual(
      [OTEL_SERVICE_NAME, PORT, PATH, axm_actions],
      ['shop', '8080', process.env['PATH'], undefined],
    );
    assert.equal(process.env['OTEL_SERVICE_NAME'], undefined);
  });

  it('is not disturbed by what is no JSON object', () => {
    for (const text of ['', '{', 'null', '7', '"a"']) {
      process.env['pm2_env'] = text;
      assert.equal(environment()['PATH'], process.env['PATH'], text);
    }
  });
});
