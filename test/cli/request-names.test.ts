import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { TOOLS } from '../../src/cli/mcp/tools.ts';
import { sourceOf } from '../../src/cli/view/load.ts';
import type { RequestList } from '../../src/viewer/model.ts';
import type { TraceSource } from '../../src/viewer/viewer.ts';
import { Background } from './support/background.ts';
import { answerIn } from './support/json-answer.ts';

const MAIN = fileURLToPath(new URL('../../package/cli.js', import.meta.url));
const PRELOAD = fileURLToPath(new URL('../../package/register.js', import.meta.url));
const APP = fileURLToPath(new URL('../../../test/fixtures/named-requests.mjs', import.meta.url));

/** What the requests of the fixture are called, in the order of the alphabet. */
const NAMES = [
  'DELETE /nothing',
  'GET /',
  'GET /bare/{n}/things',
  'GET /broken/:id',
  'GET /nowhere/{n}',
  'GET /users/:id',
];

interface Answer {
  code: number;
  stdout: string;
  stderr: string;
}

function clew(args: string[], env: Record<string, string> = {}): Promise<Answer> {
  const kept = Object.entries(process.env).filter(([key]) => !/^(OTEL_|CLEW_|NODE_)/.test(key));
  return new Promise((resolve) => {
    const options = { env: { ...Object.fromEntries(kept), ...env } };
    const child = execFile(process.execPath, [MAIN, ...args], options, (_, stdout, stderr) =>
      resolve({ code: child.exitCode ?? -1, stdout, stderr }),
    );
  });
}

const sorted = (names: readonly unknown[]): unknown[] => names.map(String).toSorted();

describe('the name of a request is one, wherever it is shown', function () {
  this.timeout(60_000);
  let folder: string;
  let viewer: Background;
  let pageUrl: string;
  let run: Answer;
  let source: TraceSource;

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'clew-names-'));
    const nowhere = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:9' };
    const ports = ['--port', '0', '--otlp-port', '0'];
    viewer = new Background([MAIN, 'view', '--json', ...ports], nowhere);
    const [line] = await viewer.waitFor(/\{.*\}/);
    const answer = JSON.parse(line) as { pageUrl: string; otlpUrl: string };
    ({ pageUrl } = answer);
    run = await clew(['run', '--json', APP], {
      OTEL_EXPORTER_OTLP_ENDPOINT: answer.otlpUrl,
      // The fixture's own calls are not what it is about.
      OTEL_NODE_DISABLED_INSTRUMENTATIONS: 'undici',
    });
    assert.equal(run.code, 0, run.stderr);
    source = await sourceOf([], pageUrl);
  });
  after(async () => {
    await viewer?.end('SIGTERM');
    rmSync(folder, { recursive: true });
  });

  const list = async (search = {}): Promise<RequestList['requests']> => {
    const query = new URLSearchParams({ outside: 'false', ...search });
    return (await source.requests(query)).requests.filter(({ kind }) => kind === 'SERVER');
  };

  it('in the lines and the summary of clew run', () => {
    const lines = run.stderr.split('\n').filter((line) => /^clew: [A-Z]+ \S+ .* ms: /.test(line));
    const shown = lines.map((line) => /^clew: ([A-Z]+ \S+)/.exec(line)?.[1]);
    assert.deepEqual(sorted(shown), NAMES);
    const { names, slowest } = answerIn(run.stdout);
    assert.deepEqual(sorted(names.map(({ name }: { name: string }) => name)), NAMES);
    assert.deepEqual(sorted(slowest.map(({ name }: { name: string }) => name)), NAMES);
  });

  it('in clew show, its JSON and its tree', async () => {
    const json = answerIn((await clew(['show', '--json', '--from', pageUrl])).stdout);
    const rows = json.requests.filter(({ kind }: { kind: string }) => kind === 'SERVER');
    assert.deepEqual(sorted(rows.map(({ name }: { name: string }) => name)), NAMES);
    const { stdout } = await clew(['show', '--from', pageUrl, '--no-color']);
    for (const { name, traceId } of rows) {
      assert.ok(stdout.includes(`${traceId.slice(0, 8)}  ${name} `), stdout);
      if (!/nowhere|users/.test(name)) continue;
      const tree = await clew(['show', '--from', pageUrl, traceId]);
      assert.ok(tree.stdout.startsWith(`${name} `), tree.stdout);
      const outline = answerIn((await clew(['show', '--json', '--from', pageUrl, traceId])).stdout);
      assert.deepEqual([outline.request.name, outline.tree[0].name], [name, name]);
    }
    assert.match(stdout, / {2}GET \/users\/:id {2}\/users\/7 /);
  });

  it('on the page: in its list, its searches and its traces, and in an HTML file', async () => {
    const rows = await list();
    assert.deepEqual(sorted(rows.map(({ name }) => name)), NAMES);
    const { services } = await source.summary();
    const operations = services.flatMap(({ operations }) => operations);
    for (const { name, traceId } of rows) {
      assert.ok(operations.includes(name), operations.join(', '));
      assert.deepEqual((await list({ operation: name }))[0]?.traceId, traceId);
      assert.ok((await list({ q: name })).some((row) => row.traceId === traceId));
      const root = (await source.trace(traceId))?.spans[0];
      assert.equal(root?.name, name);
    }
    const out = join(folder, 'out.html');
    await clew(['export', '--html', '--out', out, '--from', pageUrl]);
    const html = readFileSync(out, 'utf8');
    for (const name of NAMES) assert.ok(html.includes(JSON.stringify(name)), name);
  });

  it('in the answers to agents', async () => {
    const tool = (name: string): (typeof TOOLS)[number] => TOOLS.find((one) => one.name === name)!;
    // oxlint-disable-next-line typescript/no-explicit-any
    const listed: any = await tool('list_requests').call(source, { limit: 50 });
    const requests = listed.requests.filter(({ kind }: { kind: string }) => kind === 'SERVER');
    assert.deepEqual(sorted(requests.map(({ name }: { name: string }) => name)), NAMES);
    for (const { name, traceId } of requests) {
      // oxlint-disable-next-line typescript/no-explicit-any
      const why: any = await tool('why_slow').call(source, { trace: traceId });
      assert.deepEqual([why.request.name, why.tree[0].name], [name, name]);
    }
  });

  it('in a report of the doctor, where the application makes spans', async () => {
    const { stdout } = await clew(['doctor', '--json', '--import', PRELOAD, APP, 'mixed'], {
      OTEL_TRACES_EXPORTER: 'none',
    });
    const { findings } = JSON.parse(stdout) as { findings: { owner?: { label: string } }[] };
    const owners = findings.flatMap(({ owner }) => (owner ? [owner.label] : []));
    assert.deepEqual(sorted(owners), ['GET /bare-pairs/{n}', 'GET /pairs/:id']);
  });
});
