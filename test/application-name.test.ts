import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

import { applicationManifest } from '../src/application-name.ts';
import { cachedInstall } from './support/user-cache.ts';
import { REGISTER_URL, runNode } from './support/run-node.ts';

describe('applicationManifest', () => {
  let top: string;

  beforeEach(() => {
    top = realpathSync(mkdtempSync(join(tmpdir(), 'clew-name-')));
    manifest('shop', { name: 'shop', version: '1.2.3' });
    file('shop/src/app.js');
  });
  afterEach(() => rmSync(top, { recursive: true, force: true }));

  function file(path: string, text = ''): string {
    const whole = join(top, path);
    mkdirSync(dirname(whole), { recursive: true });
    writeFileSync(whole, text);
    return whole;
  }

  function manifest(folder: string, content: object): void {
    file(join(folder, 'package.json'), JSON.stringify(content));
  }

  function launcher(folder: string, name: string): string {
    manifest(`${folder}/node_modules/${name}`, { name, version: '7.0.4' });
    return file(`${folder}/node_modules/${name}/bin/${name}.js`);
  }

  function nameOf(
    args: string[],
    cwd = join(top, 'shop'),
    env = {},
    execArgv: string[] = [],
  ): string | undefined {
    return applicationManifest({ argv: ['node', ...args], execArgv, cwd, env })?.name;
  }

  it('is the nearest one above the main file that has a name', () => {
    manifest('shop/src', { type: 'module' });
    assert.deepEqual(
      applicationManifest({
        argv: ['node', join(top, 'shop/src/app.js')],
        execArgv: [],
        cwd: '/',
        env: {},
      }),
      { name: 'shop', version: '1.2.3' },
    );
  });

  it('is found for a main file that is relative, has no extension, or is a link', () => {
    symlinkSync(join(top, 'shop/src/app.js'), join(top, 'start'));
    assert.equal(nameOf(['src/app.js']), 'shop');
    assert.equal(nameOf([join(top, 'shop/src/app')]), 'shop');
    assert.equal(nameOf([join(top, 'start')], '/'), 'shop');
  });

  it("is that of a launcher's file, by argument or by pm2's environment, and never the launcher's", () => {
    const app = join(top, 'shop/src/app.js');
    const global = launcher('usr/lib', 'pm2');
    assert.equal(nameOf([global], '/', { pm_exec_path: app }), 'shop');
    assert.equal(nameOf([launcher('usr/lib', 'ts-node'), '--esm', app], '/'), 'shop');
    assert.equal(nameOf([global], '/'), undefined);
  });

  it('is not that of a file which an option of the launcher names', () => {
    const app = join(top, 'shop/src/app.js');
    manifest('shared', { name: 'shared' });
    const settings = file('shared/mocha.config.js');
    const global = launcher('usr/lib', 'mocha');
    for (const option of ['--config', '-c', '--require', '-r', '--import', '--loader', '-P']) {
      assert.equal(nameOf([global, option, settings], '/'), undefined, option);
      assert.equal(nameOf([global, option, settings, app], '/'), 'shop', option);
    }
    assert.equal(nameOf([global, `--config=${settings}`, app], '/'), 'shop');
  });

  it('is that of the project a launcher is installed in, or of the package of its workspace', () => {
    const mocha = launcher('shop', 'mocha');
    manifest('shop/packages/cart', { name: 'cart' });
    assert.equal(nameOf([mocha]), 'shop');
    assert.equal(nameOf([mocha, '--watch'], '/'), 'shop');
    assert.equal(nameOf([mocha], join(top, 'shop/packages/cart')), 'cart');
  });

  it('is that of the project where the launcher is linked into its node_modules', () => {
    const stored = launcher('store', 'next');
    mkdirSync(join(top, 'shop/node_modules/.bin'), { recursive: true });
    symlinkSync(stored, join(top, 'shop/node_modules/.bin/next'));
    assert.equal(nameOf([join(top, 'shop/node_modules/.bin/next'), 'start'], '/'), 'shop');
  });

  it('is unknown for code that is no file, and for a manifest that cannot be read', () => {
    assert.equal(nameOf([]), undefined);
    assert.equal(nameOf(['src/app.js'], undefined, {}, ['-e']), undefined);
    assert.equal(nameOf(['src/app.js'], undefined, {}, ['--import', 'x', '--eval=1']), undefined);
    assert.equal(nameOf(['src/no-such-file']), undefined);
    assert.equal(nameOf(['.']), 'shop');
    assert.equal(
      nameOf([launcher('usr/lib', 'pm2'), '--config', file('other/x.json')], '/'),
      undefined,
    );
    file('broken/package.json', '{');
    assert.equal(nameOf([file('broken/app.js')], '/'), undefined);
    file('odd/package.json', 'null');
    assert.equal(nameOf([file('odd/app.js')], '/'), undefined);
  });

  it('is not that of a manifest above one that cannot be read', () => {
    const app = file('shop/packages/cart/app.js');
    for (const content of ['', '{', 'null', '[]', '5']) {
      file('shop/packages/cart/package.json', content);
      assert.equal(nameOf([app], '/'), undefined, content);
    }
    file('shop/packages/cart/package.json', '\uFEFF{ "name": "cart" }');
    assert.equal(nameOf([app], '/'), 'cart');
    file('shop/packages/cart/package.json', '{ "name": 5 }');
    assert.equal(nameOf([app], '/'), 'shop');
  });

  it('is right under pm2 and mocha themselves', async function () {
    this.timeout(300_000);
    const tools = cachedInstall('launchers-3', ['pm2@7.0.4', 'mocha@12.0.3']);
    const bin = (path: string): string => join(tools, 'node_modules', path);
    manifest('shop', { name: 'shop', version: '1.2.3', type: 'module' });
    const app = file(
      'shop/app.mjs',
      `import { trace } from '${import.meta.resolve('@opentelemetry/api')}';
      const { resource } = trace.getTracer('test').startSpan('x');
      console.log('name=' + resource.attributes['service.name']);`,
    );
    const env = { NODE_OPTIONS: `--import ${REGISTER_URL}`, OTEL_TRACES_EXPORTER: 'none' };
    // What pm2's daemon starts for an application in fork mode, and how it names the application.
    const pm2 = { args: [bin('pm2/lib/ProcessContainerFork.js')], env: { pm_exec_path: app } };
    for (const launch of [
      pm2,
      { args: [bin('mocha/bin/mocha.js'), '--pass-on-failing-test-suite', app], env: {} },
    ]) {
      const { stdout, stderr } = await runNode(launch.args, {
        env: { ...env, ...launch.env },
        cwd: join(top, 'shop'),
      });
      assert.match(stdout, /name=shop/, `${launch.args.join(' ')}\n${stdout}${stderr}`);
    }
  });
});
