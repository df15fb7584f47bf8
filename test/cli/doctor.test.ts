import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';

import { MAIN, Project } from '../diagnosis/project.ts';
import { RunningNode } from '../support/run-node.ts';
import { freePort } from '../support/instances.ts';

/** Serves until it is ended; `/lost` loses its context, `/orphan` makes a span without a parent. */
const SERVER = `
import { AsyncLocalStorage } from 'node:async_hooks';
import http from 'node:http';
import net from 'node:net';
import { trace } from '@opentelemetry/api';
import lines from 'line-client';
const atStartUp = AsyncLocalStorage.snapshot();
const echo = net.createServer((socket) => socket.pipe(socket)).listen(0, '127.0.0.1', () => {
  const client = new lines.Client(echo.address().port);
  const server = http.createServer((req, res) => {
    if (req.url === '/lost') return atStartUp(() => res.end());
    if (req.url === '/other') return atStartUp(() => setImmediate(() => res.end()));
    if (req.url === '/orphan') {
      client.query('a', () => trace.getTracer('some').startSpan('orphan').end());
      return setTimeout(() => res.end(), 50);
    }
    return res.end();
  });
  server.listen(0, '127.0.0.1', () => console.log('port ' + server.address().port));
});
`;
const get = async (port: string, path: string): Promise<void> =>
  void (await (await fetch(`http://127.0.0.1:${port}${path}`)).text());

describe('the options of clew doctor', function () {
  this.timeout(120_000);
  let project: Project;

  beforeEach(() => {
    project = new Project();
    writeFileSync(project.path('server.mjs'), SERVER);
  });
  afterEach(() => project.remove());

  /** Starts the doctor, and resolves when the application listens. */
  async function start(...args: string[]): Promise<{ doctor: RunningNode; port: string }> {
    const doctor = new RunningNode([MAIN, 'doctor', ...args], {
      cwd: project.folder,
      env: project.env,
    });
    const [, port = ''] = await doctor.waitFor(/port (\d+)/);
    return { doctor, port };
  }

  it('report on SIGUSR2 while the application runs, and when it is ended', async () => {
    const { doctor, port } = await start('server.mjs');
    await get(port, '/lost');
    doctor.child.kill('SIGUSR2');
    await doctor.waitFor(/1 {2}LOST 1 × res\.end\(\)/);
    assert.equal(doctor.child.exitCode, null);
    await get(port, '/other');
    doctor.child.kill('SIGTERM');
    const { code, stdout } = await doctor.result();
    assert.equal(code, 1);
    assert.equal(stdout.match(/^clew doctor /gm)?.length, 2);
    assert.match(stdout, /2 causes[^]*server\.mjs:12/);
  });

  it('report every few seconds, and only what is new', async () => {
    const { doctor, port } = await start('--every', '0.2', 'server.mjs');
    await get(port, '/lost');
    await doctor.waitFor(/LOST 1 × res\.end\(\)/);
    // The same again is no news.
    for (let i = 0; i < 5; i++) {
      await get(port, '/lost');
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
    assert.equal(doctor.stdout.match(/^clew doctor /gm)?.length, 1);
    await get(port, '/other');
    await doctor.waitFor(/2 causes/);
    doctor.child.kill('SIGTERM');
    assert.equal((await doctor.result()).code, 1);
  });

  it('end the application after a time, with status 0 where nothing was found', async () => {
    const { doctor, port } = await start('--for', '6', 'server.mjs');
    await get(port, '/');
    const { code, stdout } = await doctor.result();
    assert.equal(code, 0);
    assert.match(stdout, /1 request ·[^]*no context was lost\n$/);
  });

  it('count what is only possible where that is asked for', async () => {
    const traffic =
      'const get = (path) => fetch("http://127.0.0.1:" + process.env.PORT + path).then((r) => r.text());' +
      'await Promise.all([get("/orphan"), get("/orphan")]);';
    writeFileSync(project.path('traffic.mjs'), traffic);
    const server = SERVER.replace(
      "listen(0, '127.0.0.1', () => console",
      "listen(+process.env.PORT, '127.0.0.1', () => console",
    );
    writeFileSync(project.path('server.mjs'), server);
    project.env['PORT'] = String(await freePort());
    const args = ['--import', './tracing.mjs', 'server.mjs'];
    const run = (...own: string[]): ReturnType<Project['doctor']> =>
      project.doctor(...own, '--traffic', 'node traffic.mjs', ...args);
    const lax = await run();
    assert.deepEqual(
      lax.report.findings.map(({ certainty, name }) => `${certainty} ${name}`),
      ['possible CLEW-LOST-QUEUE'],
      lax.result.stderr,
    );
    assert.equal(lax.report.requests, 2);
    assert.equal(lax.result.code, 0);
    const strict = await run('--strict');
    assert.equal(strict.report.findings.length, 1);
    assert.equal(strict.result.code, 1);
  });

  it('name the timers of requests with --deep only', async () => {
    writeFileSync(
      project.path('timer.mjs'),
      `import http from 'node:http';
       const waiting = [];
       const server = http.createServer((req, res) => {
         if (waiting.push(res) > 1) return;
         setTimeout(() => { // born
           for (const each of waiting) each.end();
           server.close();
         }, 300);
       }).listen(0, '127.0.0.1', () => {
         const get = () => http.get({ port: server.address().port, agent: false }, (res) => res.resume());
         get();
         get();
       });`,
    );
    const placeOf = async (...own: string[]): Promise<number | undefined> => {
      const { report } = await project.doctor(...own, 'timer.mjs');
      const [finding] = report.findings;
      assert.equal(finding?.resource?.type, 'Timeout');
      return finding.resource.born?.line;
    };
    assert.equal(await placeOf('--deep'), project.line('timer.mjs', '// born'));
    assert.equal(await placeOf(), undefined);
  });

  for (const [what, args, message] of [
    ['no application', [], /Which application\?/],
    ['a time that is none', ['--for', 'soon', 'app.js'], /--for.*positive number of seconds.*soon/],
    ['an interval of nothing', ['--every', '0', 'app.js'], /--every.*positive number of seconds/],
  ] as const) {
    it(`refuse ${what}`, async () => {
      const { code, stderr } = await project.clew('doctor', ...args);
      assert.match(stderr, message);
      assert.equal(code, 2);
    });
  }

  it('are all in --help', async () => {
    const { stdout, code } = await project.clew('doctor', '--help');
    assert.equal(code, 0);
    for (const option of [
      'json',
      'strict',
      'traffic',
      'for',
      'every',
      'deep',
      'no-color',
      'pid',
      'inspector',
    ]) {
      assert.match(stdout, new RegExp(`^ {2}--${option}\\b`, 'm'));
    }
    for (const line of stdout.split('\n')) assert.ok(line.length <= 80, line);
  });

  it('fail with a traffic command that fails, whatever was seen', async () => {
    writeFileSync(project.path('server.mjs'), SERVER);
    for (const [traffic, code] of [
      ['exit 7', 7],
      ['clew-no-such-command', 127],
    ] as const) {
      const run = await project.clew('doctor', '--traffic', traffic, 'server.mjs');
      assert.match(run.stderr, new RegExp(`the traffic command failed with exit code ${code}`));
      assert.equal(run.code, 2);
    }
  });

  it('name the end of an application that fails before it served anything, with status 2', async () => {
    writeFileSync(project.path('fails.mjs'), 'process.exitCode = 7;');
    const { code, stdout } = await project.clew('doctor', 'fails.mjs');
    assert.match(stdout, /nothing was seen: the application failed with exit code 7 before .*\n$/);
    assert.equal(code, 2);
    const none = await project.clew('doctor', '--json', 'none.js');
    assert.match(none.stderr, /the application failed with exit code 1 before it served anything/);
    assert.equal(none.code, 2);
  });

  it('leave an application that fails later its status', async () => {
    writeFileSync(
      project.path('fails.mjs'),
      `import http from 'node:http';
       const server = http.createServer((req, res) => res.end()).listen(0, '127.0.0.1', async () => {
         await (await fetch('http://127.0.0.1:' + server.address().port)).text();
         process.exit(7);
       });`,
    );
    const { code, stdout } = await project.clew('doctor', 'fails.mjs');
    assert.match(stdout, /1 request ·/);
    assert.equal(code, 7);
  });

  it('report where an application never ends and is busy when it is asked, which is killed', async () => {
    // Busy from before it is asked, after 10 s, and for longer than a report takes.
    const busy = `process.on('SIGTERM', () => setTimeout(() => {
      for (const end = Date.now() + 3000; Date.now() < end; );
    }, 9500));`;
    writeFileSync(project.path('server.mjs'), busy + SERVER);
    const { doctor, port } = await start('server.mjs');
    await get(port, '/lost');
    doctor.child.kill('SIGTERM');
    const { code, stdout, stderr } = await doctor.result();
    assert.equal(code, 1);
    assert.match(stdout, /LOST 1/);
    assert.match(stderr, /did not end within 1\d s of the signal, and was killed/);
  });

  it('report where a library cleans up on a signal, or an application takes its time', async () => {
    writeFileSync(
      project.path('server.mjs'),
      `process.on('SIGTERM', () => setTimeout(() => process.exit(0), 200));${SERVER}`,
    );
    const { doctor, port } = await start('server.mjs');
    await get(port, '/lost');
    doctor.child.kill('SIGTERM');
    const { code, stdout } = await doctor.result();
    assert.equal(code, 1);
    assert.match(stdout, /LOST 1/);
  });
});
