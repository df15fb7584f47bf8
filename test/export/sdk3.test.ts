import assert from 'node:assert/strict';
import { fileURLToPath } from 'node:url';

import { startReceiver, type OtlpReceiver } from '../support/otlp-receiver.ts';
import { toObject } from '../support/otlp-types.ts';
import { nodeForSdk3, sdk3Folder } from '../support/sdk-3.ts';
import { assertBalanced, sumOf } from './support/books.ts';
import { runApp, type Ending } from './support/fixture.ts';

const FILE = fileURLToPath(new URL('../fixtures/export/sdk3.js', import.meta.url));

describe('DeliverySpanProcessor in an SDK 3.x', function () {
  this.timeout(120_000);
  let receiver: OtlpReceiver;
  let folder: string;

  before(async () => {
    folder = sdk3Folder();
    receiver = await startReceiver();
  });
  after(async () => receiver?.close());
  afterEach(() => receiver.clear());

  async function run(end: string): Promise<Ending> {
    const env = { SDK3: folder };
    const ending = await runApp(end, receiver.url, { env, node: nodeForSdk3(), file: FILE });
    assertBalanced(ending.books, 1000);
    assert.equal(sumOf(ending.books, 'accepted'), 1000);
    return ending;
  }

  it('sends every field of its spans', async () => {
    await run('shutdown');
    const [span] = receiver.spans;
    assert.equal(receiver.spans.length, 1000);
    assert.deepEqual(toObject(span?.attributes), { i: 0, text: 'ünder', list: ['a', 'b'] });
    assert.equal(span?.scope.version, '3.0.0');
    assert.deepEqual(toObject(span?.events[0]?.attributes), { n: 1 });
    assert.equal(span?.links[0]?.spanId, '2'.repeat(16));
    assert.equal(span?.resource['telemetry.sdk.language'], 'nodejs');
  });

  it('loses nothing to a natural end', async () => {
    const { code } = await run('natural');
    assert.equal(code, 0);
    assert.equal(receiver.distinct, 1000);
  });
});
