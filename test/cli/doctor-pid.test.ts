import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';

import type { Report } from '../../src/diagnosis/finding.ts';
import { MAIN, Project } from '../diagnosis/project.ts';
import { RunningNode, type RunOptions } from '../support/run-node.ts';
import { skipSuite } from '../support/services.ts';

/** Serves until it is ended. `/state` tells what a doctor that comes and goes has to leave alone. */
const SERVER = `
import { AsyncLocalStorage } from 'node:async_hooks';
import http from 'node:http';
import inspector from 'node:inspector';
import net from 'node:net';
import lines from 'line-client';
const atStartUp = AsyncLocalStorage.snapshot();
const methods = () => [
  ...['end', 'write', 'writeHead', 'setHeader'].map((name) => http.ServerResponse.prototype[name]),
  http.IncomingMessage.prototype.emit,
  process.kill,
];
const before = methods();
const listeners = () => ['exit', 'SIGTERM', 'SIGINT', 'SIGHUP', 'newListener', 'removeListener'].map((name) => process.listenerCount(name)).join();
let counts;
const state = () => ({
  inspector: inspector.url() ? 'open' : 'closed',
  watched: methods().some((method, i) => method !== before[i]),
  listeners: listeners() === counts,
  marks: Object.getOwnPropertySymbols(globalThis).filter((symbol) => /clew/.test(String(symbol))).length,
});
const echo = net.createServer((socket) => socket.pipe(socket)).listen(0, '127.0.0.1', () => {
  const client = new lines.Client(echo.address().port);
  const server = http.createServer((req, res) => {
    if (req.url === '/queue') return client.query('a', () => res.end()); // queue: yours
    if (req.url === '/node') return atStartUp(() => res.end());
    if (req.url === '/exit') return res.end('bye', () => process.exit(3));
    return res.end(req.url === '/state' ? JSON.stringify(state()) : 'fine');
  });
  counts = listeners();
  server.listen(0, '127.0.0.1', () => console.log('port ' + server.address().port));
});
setInterval(() => {}, 5); // started at boot on purpose
`;

describe('clew doctor --pid', function () {
  this.timeout(180_000);
  let project: Project;
  let app: RunningNode;
  let port: string;

  before(() => {
    project = new Project();
    writeFileSync(project.path('server.mjs'), SERVER);
    writeFileSync(
      project.path('busy.cjs'),
      'process.on("SIGUSR1", () => console.log("mine"));' + IDLE,
    );
    writeFileSync(project.path('idle.cjs'), IDLE);
  });
  after(() => project.remove());
  afterEach(() => app?.child.kill('SIGKILL'));

  const IDLE = 'setInterval(() => undefined, 1000); console.log("up");';

  async function start(args: string[], options: RunOptions = {}): Promise<RunningNode> {
    app = new RunningNode(args, { cwd: project.folder, ...options });
    [, port = ''] = await app.waitFor(/port (\d+)|up/);
    return app;
  }
  const get = async (path: string): Promise<string> =>
    (await fetch(`http://127.0.0.1:${port}${path}`)).text();
  const state = async (): Promise<unknown> => JSON.parse(await get('/state'));
  const UNTOUCHED = { inspector: 'closed', watched: false, listeners: true, marks: 0 };

  /** Starts the doctor; resolves when it watches. */
  async function watch(...args: string[]): Promise<RunningNode> {
    const all = [MAIN, 'doctor', '--pid', String(app.child.pid), ...args];
    const doctor = new RunningNode(all, { cwd: project.folder });
    while (!/watching process \d+ \(node server\.mjs\)/.test(doctor.stderr)) {
      assert.equal(doctor.child.exitCode, null, doctor.stderr);
      await Promise.race([once(doctor.child.stderr, 'data'), once(doctor.child, 'exit')]);
    }
    return doctor;
  }
  const clew = (...args: string[]): ReturnType<Project['clew']> => project.clew(...args);
  const isAlive = (): boolean => app.child.exitCode === null && app.child.signalCode === null;

  it('finds the losses of a process that runs, which runs on as before', async () => {
    await start(['--inspect-port=0', 'server.mjs']);
    assert.deepEqual(await state(), { ...UNTOUCHED });
    const doctor = await watch('--json');
    await Promise.all([get('/queue'), get('/queue'), get('/queue'), get('/')]);
    doctor.child.kill('SIGINT');
    const { code, stdout, stderr } = await doctor.result();
    assert.equal(code, 1, stderr);
    const report = JSON.parse(stdout) as Report;
    assert.equal(report.requests, 4);
    const [finding, ...more] = report.findings;
    assert.deepEqual(more, []);
    assert.equal(finding?.name, 'CLEW-LOST-QUEUE');
    assert.equal(finding.certainty, 'proven');
    assert.equal(finding.count, 3);
    assert.equal(finding.yourLine?.line, project.line('server.mjs', 'queue: yours'));
    assert.equal(finding.handOver?.package, 'line-client');
    assert.equal(finding.resource?.type, 'TCPWRAP');
    assert.equal(finding.resource.older, true);
    assert.equal(finding.owner?.label, 'GET /queue');
    assert.deepEqual(await state(), UNTOUCHED);
    assert.doesNotMatch(app.stderr, /Warning/);

    // No command can run it again.
    assert.equal(finding.fix.check, undefined);
    assert.equal(finding.fix.command, 'clew fix 1 --dry-run');
    const fix = await clew('fix', '1');
    assert.match(fix.stderr, /was seen in process \d+, which cannot be run again/);
    assert.equal(fix.code, 2);

    // It comes again, and reports on a signal while it watches.
    const again = await watch();
    await get('/node');
    again.child.kill('SIGUSR2');
    await again.waitFor(/LOST 1 × res\.end\(\)/);
    again.child.kill('SIGTERM');
    const last = await again.result();
    assert.equal(last.code, 1);
    assert.match(
      last.stdout,
      /\nAfter a change, restart the application and run `clew doctor --pid`/,
    );
    assert.doesNotMatch(last.stdout, /--check/);
    assert.deepEqual(await state(), UNTOUCHED);
  });

  it('finds nothing in a healthy process, and ends with its time or its traffic', async () => {
    await start(['--inspect-port=0', 'server.mjs']);
    const url = `http://127.0.0.1:${port}`;
    const healthy = `Promise.all(Array.from({ length: 10 }, () => fetch('${url}/').then((r) => r.text())))`;
    const doctor = await watch('--strict', '--traffic', `node -e "${healthy}"`);
    const { code, stdout } = await doctor.result();
    assert.match(stdout, /10 requests[^]*no context was lost\n$/);
    assert.equal(code, 0);
    assert.equal((await (await watch('--for', '0.2')).result()).code, 0);
    const traffic = `node -e "fetch('${url}/node').then((r) => r.text())"`;
    const { stdout: lost } = await (await watch('--traffic', traffic)).result();
    assert.match(lost, /1 request ·[^]*LOST 1/);
    assert.deepEqual(await state(), UNTOUCHED);
  });

  it('leaves the process when the command is killed', async () => {
    await start(['--inspect-port=0', 'server.mjs']);
    const doctor = await watch();
    assert.equal(((await state()) as { watched: boolean }).watched, true);
    doctor.child.kill('SIGKILL');
    await doctor.result();
    // The inspector may still be open: the process closes it a moment after the doctor is in.
    while (!isDeepStrictEqual(await state(), UNTOUCHED)) await sleep(20);
  });

  it('lets only one doctor in, and reports when the process ends by itself', async () => {
    await start(['--inspect-port=0', 'server.mjs']);
    const doctor = await watch();
    const second = await clew('doctor', '--pid', String(app.child.pid));
    assert.match(second.stderr, /cannot be watched: another clew doctor is watching it/);
    assert.equal(second.code, 2);
    await get('/node');
    await get('/exit');
    const { code, stdout } = await doctor.result();
    assert.match(stdout, /LOST 1 × res\.end\(\)/);
    assert.equal(code, 1);
    assert.equal((await app.result()).code, 3);
  });

  it('sends no signal where the inspector is open, and leaves it open', async () => {
    await start(['--inspect=127.0.0.1:0', '--disable-warning=x', 'server.mjs']);
    const [, open = ''] = /ws:\/\/127\.0\.0\.1:(\d+)/.exec(app.stderr) ?? [];
    const doctor = await watch('--inspector', open);
    await get('/node');
    doctor.child.kill('SIGTERM');
    assert.match((await doctor.result()).stdout, /LOST 1/);
    assert.deepEqual(await state(), { ...UNTOUCHED, inspector: 'open' });
  });

  const refusals: [string, string[], RegExp][] = [
    [
      'a process that listens for SIGUSR1 itself',
      ['busy.cjs'],
      /opened no inspector on SIGUSR1: it listens for/,
    ],
  ];
  if (process.allowedNodeEnvironmentFlags.has('--disable-sigusr1')) {
    const args = ['--disable-sigusr1', 'idle.cjs'];
    refusals.push([
      'one that opens no inspector',
      args,
      /--disable-sigusr1\. Nothing was sent to it/,
    ]);
  }
  for (const [what, args, message] of refusals) {
    it(`gives the reason for ${what}, which runs on`, async () => {
      await start(['--inspect-port=0', ...args]);
      const { code, stderr } = await clew('doctor', '--pid', String(app.child.pid));
      assert.match(stderr, message);
      assert.equal(code, 2);
      assert.ok(isAlive());
    });
  }

  it('sends no signal to what is not Node', async () => {
    const other = spawn('sleep', ['60']);
    try {
      const { code, stderr } = await clew('doctor', '--pid', String(other.pid));
      assert.match(stderr, /is sleep, and not Node by its name\. Nothing was sent to it/);
      assert.equal(code, 2);
      assert.equal(other.exitCode ?? other.signalCode, null);
    } finally {
      other.kill('SIGKILL');
    }
  });

  it('refuses the inspector of another process', async () => {
    const other = new RunningNode(['--inspect=127.0.0.1:0', 'idle.cjs'], { cwd: project.folder });
    await other.waitFor(/up/);
    const [, taken = ''] = /ws:\/\/127\.0\.0\.1:(\d+)/.exec(other.stderr) ?? [];
    await start(['--inspect-port=0', 'idle.cjs']);
    const args = ['--pid', String(app.child.pid), '--inspector', taken];
    const { code, stderr } = await clew('doctor', ...args);
    other.child.kill('SIGKILL');
    assert.match(stderr, /port \d+ is another process's|is not the one behind port/);
    assert.equal(code, 2);
    assert.ok(isAlive());
  });

  it('names the folders that a process has to reach', async function () {
    if (process.getuid?.() !== 0) {
      skipSuite(this, 'clew doctor --pid: it takes root to start a process of another user');
    }
    chmodSync(project.folder, 0o755);
    const uid = 65_534;
    // Node itself, and the packages, may be where that user cannot look.
    const probe = spawnSync(process.execPath, ['-e', '0'], { uid, gid: uid });
    if (probe.status !== 0) {
      skipSuite(this, 'clew doctor --pid: another user cannot run this Node');
    }
    const file = project.path('idle.cjs');
    const other = spawn(process.execPath, ['--inspect-port=0', file], {
      uid,
      gid: uid,
      stdio: 'pipe',
    });
    try {
      await once(other.stdout, 'data');
      const { stderr } = await clew('doctor', '--pid', String(other.pid), '--for', '0.2');
      assert.match(stderr, /watching process \d+|It has to read .* and to write to /);
      assert.equal(other.exitCode, null);
    } finally {
      other.kill('SIGKILL');
    }
  });

  it('knows a container by its network', async function () {
    if (spawnSync('unshare', ['--net', 'true']).status !== 0) {
      skipSuite(this, 'clew doctor --pid: unshare --net is not allowed here');
    }
    const inside = spawn('unshare', ['--net', process.execPath, project.path('idle.cjs')], {
      stdio: 'pipe',
    });
    try {
      await once(inside.stdout, 'data');
      const { code, stderr } = await clew('doctor', '--pid', String(inside.pid));
      assert.match(stderr, /has its own network, as in a container\. Run the command there/);
      assert.equal(code, 2);
      assert.equal(inside.exitCode, null);
    } finally {
      inside.kill('SIGKILL');
    }
  });

  for (const [what, args, message] of [
    ['a process that does not run', ['--pid', String(2 ** 22 + 1)], /Process \d+ does not run/],
    ['what is no id', ['--pid', 'app'], /--pid.*a whole number from 1.*got `app`/],
    ['zero, which is all of a group', ['--pid', '0'], /--pid.*a whole number from 1/],
    ['an application, too', ['--pid', '1', 'app.js'], /either an application or --pid, not both/],
    ['a port that is none', ['--pid', '1', '--inspector', '65536'], /--inspector.*65535/],
    ['a port without a process', ['--inspector', '9229'], /--inspector needs --pid/],
  ] as const) {
    it(`refuses ${what}`, async () => {
      const { code, stderr } = await clew('doctor', ...args);
      assert.match(stderr, message);
      assert.equal(code, 2);
    });
  }
});
