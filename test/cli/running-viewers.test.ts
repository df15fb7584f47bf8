import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { get, type IncomingMessage } from 'node:http';
import { networkInterfaces, tmpdir } from 'node:os';
import { join } from 'node:path';

import { stub } from 'sinon';

import { forgetWhatWasSaid, setLogLevel } from '../../src/base/log.ts';
import { probeViewer } from '../../src/cli/view/collector.ts';
import { DEFAULT_ORIGINS, RemoteViewer } from '../../src/cli/view/load.ts';
import { runningViewers } from '../../src/cli/view/running-viewers.ts';
import { PAGE_PORT, startViewer } from '../../src/cli/view/start.ts';
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

  it('is found at whatever port it listens, the last one first, until it ends', async () => {
    const [first, second] = [await open(), await open()];
    try {
      assert.deepEqual(
        runningViewers()
          .map(({ origin }) => `${origin}/`)
          .toSorted(),
        [first.pageUrl, second.pageUrl].toSorted(),
      );
      const [control = ''] = readdirSync(folder);
      const origin = 'http://127.0.0.1:9';
      const dead = { pid: 2 ** 22, started: '1', origin, folder: '/', since: 0 };
      const left = join(folder, control, 'viewer-4194304-9.json');
      writeFileSync(left, JSON.stringify(dead));
      assert.equal(runningViewers().length, 2, 'one that was killed is not there any more');
      await send(second.otlpUrl, { id: 'a', name: 'GET /here' });
      const found = await RemoteViewer.find(undefined);
      const { source } = await found.summary();
      // Both may have been started in one millisecond.
      assert.ok([first.otlpUrl, second.otlpUrl].includes(source.name));
    } finally {
      await first.stop();
      await second.stop();
    }
    assert.deepEqual(runningViewers(), []);
  });

  it('is found by the folder it was started in: this one, one around it, another one', async () => {
    const here = realpathSync(folder);
    const [inner, other] = [join(here, 'inner'), join(here, 'other')];
    const folders = [inner, other, here];
    const running = [];
    const before = process.cwd();
    try {
      for (const one of folders) {
        mkdirSync(one, { recursive: true });
        process.chdir(one);
        running.push(await open());
      }
      const found = (from: string): [string, boolean][] =>
        runningViewers(from).map((one) => [one.folder, one.isHere]);
      assert.deepEqual(found(inner), [
        [inner, true],
        [here, true],
        [other, false],
      ]);
      assert.deepEqual(found(other)[0], [other, true]);
      assert.deepEqual(found(here)[0], [here, true]);
      assert.deepEqual(
        found('/elsewhere').map(([, isHere]) => isHere),
        [false, false, false],
      );
      // Not `inner` but what begins like it.
      assert.equal(runningViewers(`${inner}-2`).find((one) => one.folder === inner)?.isHere, false);
    } finally {
      process.chdir(before);
      for (const one of running) await one.stop();
    }
  });

  /** What a command in the folder `from` logs about the viewer that it reads. */
  const readFrom = async (from: string): Promise<string> => {
    const before = process.cwd();
    const lines: string[] = [];
    forgetWhatWasSaid();
    const level = setLogLevel('info');
    const write = stub(process.stderr, 'write').callsFake((text) => lines.push(String(text)) > 0);
    try {
      process.chdir(from);
      await RemoteViewer.find(undefined);
    } finally {
      write.restore();
      setLogLevel(level);
      process.chdir(before);
    }
    return lines.join('');
  };

  it('is named with its folder where that is another one', async function () {
    for (const origin of DEFAULT_ORIGINS) if (await probeViewer(origin)) this.skip();
    const [mine, others] = [join(realpathSync(folder), 'mine'), join(realpathSync(folder), 'o')];
    for (const one of [mine, others]) mkdirSync(one);
    const before = process.cwd();
    process.chdir(others);
    const running = await open();
    process.chdir(before);
    try {
      const url = running.pageUrl.slice(0, -1);
      const line = `clew: reading the viewer at ${url} (live, 0 traces)`;
      assert.equal(await readFrom(others), `${line}\n`);
      assert.equal(
        await readFrom(mine),
        `${line}, started in ${others}; --from URL reads another one\n`,
      );
    } finally {
      await running.stop();
    }
  });

  it('is named as that of another where it has the usual port and this user did not start it', async function () {
    for (const origin of DEFAULT_ORIGINS) if (await probeViewer(origin)) this.skip();
    const running = await open({ port: PAGE_PORT }).catch(() => this.skip());
    try {
      const [control = ''] = readdirSync(folder);
      rmSync(join(folder, control), { recursive: true });
      assert.match(await readFrom(folder), /, of another user or a container; --from URL reads/);
      // One that was started here comes first.
      const own = await open();
      try {
        const url = own.pageUrl.slice(0, -1);
        assert.match(await readFrom(process.cwd()), new RegExp(`viewer at ${url} `));
      } finally {
        await own.stop();
      }
    } finally {
      await running.stop();
    }
  });

  it('listens at ::1 where that is asked for, and answers under its name and no other', async function () {
    const addresses = Object.values(networkInterfaces()).flat();
    if (!addresses.some((one) => one?.address === '::1')) this.skip();
    const running = await open({ host: '::1' });
    try {
      const { pageUrl, otlpUrl } = running;
      const port = Number(/^http:\/\/\[::1\]:(\d+)\/$/.exec(pageUrl)?.[1]);
      const page = await fetch(pageUrl);
      assert.match(await page.text(), /<html/);
      await send(otlpUrl, { id: 'a', name: 'GET /six' });
      const found = await RemoteViewer.find(pageUrl);
      const { requests } = await found.requests(new URLSearchParams());
      assert.deepEqual(
        requests.map(({ name }) => name),
        ['GET /six'],
      );
      const statusOf = async (host: string): Promise<number | undefined> => {
        const asked = get({ host: '::1', port, path: '/clew/summary', headers: { host } });
        const [answer] = (await once(asked, 'response')) as [IncomingMessage];
        answer.resume();
        return answer.statusCode;
      };
      for (const host of [`[::1]:${port}`, '[::1]', `localhost:${port}`]) {
        assert.equal(await statusOf(host), 200, host);
      }
      for (const host of ['[::2]', '::1', '[::1].evil.test', '[fd00::2]:80', '[::1]x']) {
        assert.equal(await statusOf(host), 403, host);
      }
    } finally {
      await running.stop();
    }
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
