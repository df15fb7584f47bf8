import assert from 'node:assert/strict';
import { execFile, spawn, type ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

import { readRecording } from '../../src/tracer/recording/read.ts';
import { answerIn } from './support/json-answer.ts';

const MAIN = fileURLToPath(new URL('../../src/cli/main.js', import.meta.url));
const APP = fileURLToPath(new URL('../../../test/fixtures/waiting-app.mjs', import.meta.url));
const SECRET = 'sixteen characters and more';

describe('clew run and clew record', function () {
  this.timeout(120_000);
  let folder: string;
  let app: ChildProcessByStdio<null, Readable, Readable> | undefined;
  let stderr = '';
  let port = 0;
  let pid = 0;

  before(() => void (folder = mkdtempSync(join(tmpdir(), 'clew-run-'))));
  after(() => rmSync(folder, { recursive: true }));
  afterEach(async () => {
    if (!app || app.exitCode !== null || app.signalCode !== null) return;
    process.kill(pid, 'SIGKILL');
    await once(app, 'exit');
  });

  const start = async (args: string[], env: Record<string, string> = {}): Promise<void> => {
    stderr = '';
    app = spawn(process.execPath, [MAIN, ...args, APP], {
      cwd: folder,
      env: { ...process.env, OTEL_TRACES_EXPORTER: 'none', ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    app.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
    const [line] = (await once(app.stdout, 'data')) as [Buffer];
    [port = 0, pid = 0] = line.toString().split(' ').map(Number);
  };
  const get = async (path: string, headers: Record<string, string> = {}): Promise<void> =>
    void (await (await fetch(`http://127.0.0.1:${port}${path}`, { headers })).text());
  const end = async (): Promise<number | null> => {
    assert.ok(app);
    process.kill(pid, 'SIGTERM');
    const [code] = (await once(app, 'exit')) as [number | null];
    return code;
  };
  const until = async (condition: () => boolean): Promise<void> => {
    for (let left = 750; left > 0 && !condition(); left--) {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    assert.ok(condition(), stderr);
  };
  const clew = (...args: string[]): Promise<{ stdout: string; stderr: string }> =>
    promisify(execFile)(process.execPath, [MAIN, ...args], {
      cwd: folder,
      env: { ...process.env, CLEW_RECORD_SECRET: SECRET },
    });

  it('prints where the time of each request went and who held the loop, and a summary; ends as the application', async () => {
    await start(['run']);
    await Promise.all([get('/idle'), get('/idle'), get('/block'), get('/fail'), get('/nothing')]);
    await until(() => stderr.includes('GET /idle'));
    assert.match(stderr, /clew: GET \/fail ERROR 500 {2}[\d.]+ ms: running/);
    assert.match(stderr, /clew: GET \/nothing 404 {2}[\d.]+ ms: running/);
    assert.match(
      stderr,
      /GET \/idle {2}[\d.]+ ms: running [\d.]+, I\/O [\d.]+, loop [\d.]+ \(held by GET \/block [\d.]+\)/,
    );
    assert.equal(await end(), 7);
    assert.match(stderr, /clew: 5 requests in [\d.]+ s, by name\n/);
    assert.match(stderr, /\nclew: +2 +[\d.]+ +[\d.]+ +\d+ +\d+ +\d+ +0 {2}GET \/idle\n/);
    assert.match(stderr, / +ERROR {2}request\n/);
    assert.match(stderr, /\nclew: +1 .* 1 {2}GET \/fail\n/);
    assert.match(stderr, /\nclew: +1 .* 0 {2}GET \/nothing\n/);
    const table = stderr.slice(stderr.indexOf('by name'));
    for (const line of table.split('\n')) assert.ok(line.length <= 80, line);
  });

  it('prints the summary as JSON, and the output of the application elsewhere', async () => {
    const command = spawn(process.execPath, [MAIN, 'run', '--json', '--quiet', APP], {
      cwd: folder,
      env: { ...process.env, OTEL_TRACES_EXPORTER: 'none' },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    app = command;
    [stderr, port] = ['', 0];
    let stdout = '';
    command.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
    command.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
    await until(() => /^\d+ \d+$/m.test(stderr));
    [port = 0, pid = 0] = (/^\d+ \d+$/m.exec(stderr)?.[0] ?? '').split(' ').map(Number);
    await Promise.all([get('/idle'), get('/block'), get('/idle'), get('/fail')]);
    process.kill(pid, 'SIGTERM');
    await once(command, 'close');
    const answer = answerIn(stdout);
    assert.deepEqual([answer.kind, answer.exitCode, answer.requests], ['run', 7, 4]);
    const counts = answer.names.map(({ name, count }: Record<string, unknown>) => [name, count]);
    assert.deepEqual(Object.fromEntries(counts), {
      'GET /idle': 2,
      'GET /block': 1,
      'GET /fail': 1,
    });
    const failed = answer.names.filter((one: { failed?: number }) => one.failed);
    assert.deepEqual(
      failed.map(({ name }: { name: string }) => name),
      ['GET /fail'],
    );
    assert.equal(answer.slowest.length, 4);
    assert.deepEqual([answer.slowest[3].statusCode, answer.slowest[3].failed], [500, true]);
    const held = answer.slowest.find((one: { blockedBy?: object }) => one.blockedBy);
    assert.equal(held.blockedBy.name, 'GET /block');
    const { runningMs, ioMs, loopMs } = held.parts;
    assert.ok(Math.abs(runningMs + ioMs + loopMs - held.durationMs) < 0.01);
  });

  it('prints nothing per request when asked not to', async () => {
    await start(['run', '--quiet']);
    await get('/idle');
    assert.equal(await end(), 7);
    assert.doesNotMatch(stderr, /GET/);
  });

  it('records a running process for a number of requests and converts the file', async () => {
    await start(['run']);
    const asked = ['--pid', String(pid), '--requests', '3', '--out', 'three.clew', '--json'];
    const recorded = clew('record', ...asked);
    await until(() => stderr.includes('recording into'));
    // What comes in beside those that were asked for is recorded, and counted as no request.
    await Promise.all(['/idle', '/block', '/idle', '/idle', '/idle'].map((path) => get(path)));
    const [recording] = answerIn((await recorded).stdout).recordings;
    assert.equal(recording.requests, 3);
    assert.ok(recording.records > 3 && recording.bytes > 0);
    const { traces, end: summary } = readRecording(join(folder, 'three.clew'));
    assert.equal(summary?.requests, 3);
    assert.equal(traces.filter((trace) => trace.owner).length, 3);
    const { stdout } = await clew('record', '--convert', 'dot', 'three.clew');
    assert.match(stdout, /^digraph/);
    const converted = ['--convert', 'otlp', 'three.clew', '--out', 'three.json', '--json'];
    const { format, bytes } = answerIn((await clew('record', ...converted)).stdout);
    assert.deepEqual([format, bytes], ['otlp', statSync(join(folder, 'three.json')).size]);
    await end();
  });

  it('records from a bare signal until the next one', async () => {
    await start(['run'], { CLEW_RECORD_FOLDER: folder });
    process.kill(pid, 'SIGUSR2');
    await until(() => stderr.includes('recording into'));
    await get('/idle');
    process.kill(pid, 'SIGUSR2');
    await until(() => stderr.includes('recorded 1 requests'));
    assert.ok(readdirSync(folder).some((file) => file.startsWith('recording-')));
    await end();
  });

  it('records an application from its start', async () => {
    await start(['record', '--requests', '1', '--out', 'whole.clew']);
    await get('/idle');
    await until(() => stderr.includes('the application runs on'));
    assert.match(stderr, /recorded 1 requests/);
    await end();
    assert.doesNotMatch(stderr, /by name/);
    const { traces } = readRecording(join(folder, 'whole.clew'));
    const types = traces.flatMap((trace) => trace.records.map((record) => record.type));
    assert.ok(types.includes('TCPSERVERWRAP'));
  });

  it('records one request for a signed header, and none for an unsigned one', async () => {
    await start(['run'], { CLEW_RECORD_SECRET: SECRET, CLEW_RECORD_FOLDER: folder });
    const { stdout } = await clew('record', '--sign', 'GET /block', '--json');
    const { header, value } = answerIn(stdout);
    assert.equal(header, 'x-clew-record');
    await get('/block', { 'x-clew-record': 'v1.9999999999.aa.bb' });
    await get('/idle', { 'x-clew-record': value });
    await get('/block', { 'x-clew-record': value });
    await until(() => stderr.includes('recorded GET /block'));
    const files = readdirSync(folder).filter((file) => file.startsWith('request-'));
    assert.equal(files.length, 1);
    const [trace, ...rest] = readRecording(join(folder, files[0] ?? '')).traces;
    assert.deepEqual(rest, []);
    assert.equal(trace?.owner?.label, 'GET /block');
    assert.ok(trace.records.some((record) => record.stack));
    await end();
  });

  it('switches the level of a running process', async () => {
    await start(['run']);
    const { stdout } = await clew('record', '--pid', String(pid), '--level', 'off');
    assert.match(stdout, /level off \(before: watch\)/);
    await get('/idle');
    const changed = await clew('record', '--pid', String(pid), '--level', 'trace', '--json');
    const { now, before } = answerIn(changed.stdout);
    assert.deepEqual([now, before], ['trace', 'off']);
    await get('/block');
    await until(() => stderr.includes('GET /block'));
    assert.doesNotMatch(stderr, /GET \/idle/);
    assert.equal(await end(), 7);
  });

  it('leaves a recording alone that runs when another one is asked for', async () => {
    await start(['run']);
    const first = clew('record', '--pid', String(pid), '--requests', '1', '--out', 'first.clew');
    await until(() => stderr.includes('recording into'));
    await assert.rejects(clew('record', '--pid', String(pid)), /already running/);
    await get('/idle');
    assert.match((await first).stdout, /1 requests/);
    await end();
  });

  it('sends no signal to a process that does not listen', async () => {
    const other = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)']);
    await once(other, 'spawn');
    await assert.rejects(clew('record', '--pid', String(other.pid)), /does not listen/);
    assert.equal(other.exitCode, null);
    other.kill();
  });

  it('gives Node the options before the application', async () => {
    const { stdout } = await clew('run', '--quiet', '--title', 'named', '-p', 'process.title');
    assert.equal(stdout, 'named\n');
  });

  it('reports in one line what is wrong with its arguments', async () => {
    for (const args of [
      ['record', '--pid', 'x'],
      ['record', '--convert', 'png', 'a.clew'],
      ['record', '--convert', 'otlp', 'missing.clew'],
      ['record', '--sign', 'orders'],
      ['record', '--level', 'watch'],
      ['record', '--pid', '1', '--level', 'loud'],
      ['record'],
      ['run'],
    ]) {
      const failed: { code?: number; stderr?: string } = await clew(...args).then(
        () => ({}),
        (error: { code: number; stderr: string }) => error,
      );
      assert.equal(failed.code, 2, args.join(' '));
      assert.equal(failed.stderr?.trim().split('\n').length, 1, failed.stderr);
    }
  });
});
