import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { findBinary } from '../support/find-binary.ts';
import { REGISTER_PATH } from '../support/run-node.ts';
import { skipSuite } from '../support/services.ts';

const RAW = 'process.stdin.setRawMode(true);';
const PAUSED = `${RAW} process.stdin.pause(); setTimeout(() => {}, 60_000);`;
const READING = `${RAW} process.stdin.resume();`;
const raise = (signal: string): string => `process.kill(process.pid, '${signal}');`;
const receive = (signal: string): string =>
  `require('node:child_process').spawn('kill', ['-s', '${signal.slice(3)}', String(process.pid)]);`;

/** Ways to end while the terminal is in raw mode. */
const ENDS: Record<string, string> = {
  'a signal, while input is read': READING + receive('SIGTERM'),
  'a signal, while input is paused': PAUSED + receive('SIGTERM'),
  'a signal that it raises': READING + raise('SIGTERM'),
  interrupt: READING + receive('SIGINT'),
  // For which Node itself does nothing.
  hangup: READING + receive('SIGHUP'),
  'an exit': `${READING} process.exit(3);`,
};

describe('a process that has put its terminal into raw mode', function () {
  this.timeout(120_000);
  const script = findBinary(['script']);
  let folder: string;

  before(function () {
    if (!script) skipSuite(this, 'raw mode: no `script` on this machine, which opens a terminal');
    folder = mkdtempSync(join(tmpdir(), 'clew-test-'));
  });
  after(() => {
    if (folder) rmSync(folder, { recursive: true, force: true });
  });

  /** What `stty` shows of the terminal after the end, and the exit code. */
  async function leftBy(code: string, options: string): Promise<string> {
    const program = join(folder, `${options ? 'clew' : 'bare'}.cjs`);
    const commands = join(folder, `${options ? 'clew' : 'bare'}.sh`);
    writeFileSync(program, code);
    const node = `NODE_OPTIONS='${options}' '${process.execPath}' '${program}'`;
    writeFileSync(commands, `trap : INT\n${node}\necho "status $?"\nstty -a\n`);
    const child = spawn(script as string, ['-qec', `sh '${commands}'`, '/dev/null'], {
      env: { ...process.env, OTEL_TRACES_EXPORTER: 'otlp', OTEL_METRICS_EXPORTER: 'none' },
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    let output = '';
    child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
    await once(child, 'close');
    const status = /status \d+/.exec(output)?.[0];
    const mode = /-?\bicanon\b/.exec(output)?.[0];
    assert.ok(status && mode, output);
    return `${status}, ${mode}`;
  }

  for (const [end, code] of Object.entries(ENDS)) {
    it(`leaves the terminal as without clew: ${end}`, async () => {
      const [bare, ours] = await Promise.all([
        leftBy(code, ''),
        leftBy(code, `--require=${REGISTER_PATH}`),
      ]);
      assert.equal(ours, bare);
    });
  }
});
