import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { probeViewer } from '../../src/cli/view/collector.ts';
import { DEFAULT_ORIGINS, RemoteViewer } from '../../src/cli/view/load.ts';
import { runningViewers } from '../../src/cli/view/running-viewers.ts';
import { startViewer } from '../../src/cli/view/start.ts';
import { OtlpReceiver } from '../support/otlp-receiver.ts';
import { freePort } from '../support/instances.ts';
import { otlp, type TestSpan } from '../viewer/support/spans.ts';

describe('a viewer that runs', () => {
  let folder: string;
  const { TMPDIR } = process.env;

  // The viewers of other runs have files of their own.
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'clew-viewers-'));
    process.env['TMPDIR'] = folder;
  });
  afterEach(() => {
    if (TMPDIR === undefined) delete process.env['TMPDIR'];
    else process.env['TMPDIR'] = TMPDIR;
    rmSync(folder, { recursive: true });
  });

  const open = (more: object = {}): ReturnType<typeof startViewer> =>
    startViewer({ files: [], port: 0, otlpPort: 0, ...more });
  const send = async (otlpUrl: string | undefined, span: TestSpan): Promise<void> => {
    const response = await fetch(`${otlpUrl}/v1/traces`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(otlp(span)),
    });
    assert.equal(response.status, 200, await response.text());
  };

  it('is found at whatever port it listens, the last one first, until it ends', async function () {
    const [first, second] = [await open(), await open()];
    try {
      assert.deepEqual(
        runningViewers()
          .map((origin) => `${origin}/`)
          .toSorted(),
        [first.pageUrl, second.pageUrl].toSorted(),
      );
      const [control = ''] = readdirSync(folder);
      const dead = { pid: 2 ** 22, started: '1', origin: 'http://127.0.0.1:9', since: 0 };
      const left = join(folder, control, 'viewer-4194304-9.json');
      writeFileSync(left, JSON.stringify(dead));
      assert.equal(runningViewers().length, 2, 'one that was killed is not there any more');
      await send(second.otlpUrl, { id: 'a', name: 'GET /here' });
      for (const origin of DEFAULT_ORIGINS) if (await probeViewer(origin)) this.skip();
      const found = await RemoteViewer.find(undefined);
      const { source } = await found.summary();
      assert.ok([first.otlpUrl, second.otlpUrl].includes(source.name));
    } finally {
      await first.stop();
      await second.stop();
    }
    assert.deepEqual(runningViewers(), []);
  });

  it('hands spans on to a collector from when it appears', async () => {
    const port = await freePort();
    const awaited = `http://127.0.0.1:${port}/v1/traces`;
    let appeared: (url: string) => void = () => undefined;
    const found = new Promise<string>((resolve) => (appeared = resolve));
    const viewer = await open({ awaited, onCollector: appeared });
    const receiver = new OtlpReceiver();
    try {
      await send(viewer.otlpUrl, { id: 'a', name: 'before' });
      assert.equal(viewer.viewer.summary().forwardsTo, undefined);
      await receiver.listen(port);
      assert.equal(await found, awaited);
      assert.equal(viewer.viewer.summary().forwardsTo, `http://127.0.0.1:${port}`);
      await send(viewer.otlpUrl, { id: 'b', name: 'after' });
      assert.deepEqual(
        receiver.spans.map(({ name }) => name),
        ['after'],
      );
      assert.equal(viewer.viewer.summary().spans, 2);
    } finally {
      await viewer.stop();
      await receiver.close();
    }
  }).timeout(20_000);
});
