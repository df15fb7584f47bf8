import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

import table from '@ioredis/commands/built/commands.json' with { type: 'json' };
import { build } from 'esbuild';
import sinon from 'sinon';

import * as unbundled from '../../../src/instrumentation/redis/command-table.ts';
import { redisCommands } from '../../support/redis-commands.ts';

/** The table of commands as it is in the published files. */
describe("Redis's commands in the published files", () => {
  let folder: string;
  let bundled: typeof unbundled;
  let parse: sinon.SinonSpy<[text: string]>;
  const parsed = (): number => parse.args.filter(([text]) => text.includes('"hgetall"')).length;

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'clew-test-'));
    const file = '../../../src/instrumentation/redis/command-table.js';
    const outfile = join(folder, 'table.mjs');
    await build({
      entryPoints: [fileURLToPath(new URL(file, import.meta.url))],
      outfile,
      bundle: true,
      format: 'esm',
      platform: 'node',
      plugins: [redisCommands],
    });
    parse = sinon.spy(JSON, 'parse') as typeof parse;
    bundled = (await import(pathToFileURL(outfile).href)) as typeof unbundled;
  });
  after(() => {
    parse.restore();
    rmSync(folder, { recursive: true });
  });

  it('are read when the first command is seen', () => {
    assert.equal(parsed(), 0);
    bundled.commandNamed('GET');
    bundled.commandNamed('SET');
    assert.equal(parsed(), 1);
  });

  it('are those of the package, with their keys and subcommands', () => {
    for (const name of Object.keys(table)) {
      assert.deepEqual(bundled.commandNamed(name), unbundled.commandNamed(name));
    }
    assert.equal(bundled.commandNamed('no such command'), undefined);
    assert.ok((bundled.commandNamed('config')?.subcommands?.size ?? 0) > 1);
  });

  it('have the same movable keys', () => {
    const args = ['2', 'a', 'b', 'STORE', 'c', 'STREAMS', 'd', 'e', '1', '2'];
    const movable = Object.keys(table).flatMap((name) => unbundled.commandNamed(name) ?? []);
    const found = movable.filter(({ isMovable }) => isMovable);
    assert.ok(found.length > 20);
    for (const command of found) {
      assert.deepEqual(bundled.movableKeys(command, args), unbundled.movableKeys(command, args));
    }
  });
});
