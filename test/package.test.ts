import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

describe('the published package', function () {
  this.timeout(120_000);
  let files: string[];
  let sizes: { size: number; unpackedSize: number };

  before(() => {
    // Without scripts: `prepack` would build anew under the feet of the tests that run.
    const args = ['pack', '--dry-run', '--json', '--ignore-scripts'];
    const { stdout } = spawnSync('npm', args, { cwd: ROOT, encoding: 'utf8' });
    const [packed] = JSON.parse(stdout) as [
      { files: { path: string }[]; size: number; unpackedSize: number },
    ];
    sizes = packed;
    files = packed.files.map(({ path }) => path);
  });

  it('holds the compiled files, their sources, the documents, the example and what npm always adds', () => {
    const promised =
      /^(?:build\/package\/(?:.*\.c?js(?:\.map)?|LICENSES\.txt|view-page\/[^/]+\.(?:html|css))$|build\/src\/.*\.d\.c?ts$|src\/.*\.c?ts$|examples\/(?:orders|shop)\/|docs\/|benchmark\/README\.md$|llms\.txt$|(?:README|CHANGELOG|CONTRIBUTING)\.md$|LICENSE$|package\.json$|clew\.(?:rules|findings|output)\.schema\.json$)/;
    assert.deepEqual(
      files.filter((file) => !promised.test(file)),
      [],
    );
  });

  it('holds every file that its manifest points to', () => {
    const manifest = JSON.parse(readFileSync(`${ROOT}/package.json`, 'utf8')) as {
      exports: Target;
      bin: Record<string, string>;
      types: string;
    };
    const targets = [
      ...filesOf(manifest.exports),
      ...Object.values(manifest.bin),
      manifest.types,
    ].map((path) => path.replace(/^\.\//, ''));
    for (const target of targets) assert.ok(files.includes(target), target);
  });

  it('holds every document that its README links to', () => {
    const text = readFileSync(`${ROOT}/README.md`, 'utf8');
    const linked = [...text.matchAll(/\]\(([^):#]+)(?:#[^)]*)?\)/g)].map(([, path]) => path!);
    assert.ok(linked.length > 0);
    assert.deepEqual(
      linked.filter((path) => !files.includes(path)),
      [],
    );
  });

  it('holds each page of the documents as Markdown, and their index for programs', () => {
    const text = readFileSync(`${ROOT}/llms.txt`, 'utf8');
    const linked = [...text.matchAll(/\]\(([^)]+)\)/g)].map(([, path]) => path!);
    assert.ok(linked.length > 20 && files.includes('llms.txt'));
    assert.deepEqual(
      linked.filter((path) => !files.includes(path)),
      [],
    );
  });

  it('weighs at most 2.5 MB, and 9 MB unpacked', () => {
    assert.ok(sizes.size < 2_500_000, `${sizes.size} bytes`);
    assert.ok(sizes.unpackedSize < 9_000_000, `${sizes.unpackedSize} bytes`);
  });

  it('holds no test, no benchmark and no source map without its source', () => {
    assert.ok(!files.some((file) => /(?:^|\/)(?:test|benchmark)\/.*\.[cm]?[jt]s/.test(file)));
    for (const map of files.filter((file) => file.endsWith('.js.map'))) {
      const { sources } = JSON.parse(readFileSync(join(ROOT, map), 'utf8')) as {
        sources: string[];
      };
      const own = sources.map((path) => join(dirname(map), path));
      for (const source of own.filter((path) => !path.startsWith('node_modules/'))) {
        assert.ok(files.includes(source), `${map} without ${source}`);
      }
    }
  });

  it('brings at most fifteen packages, itself among them', () => {
    interface Locked {
      dependencies?: Record<string, string>;
    }
    const { packages } = readJson<{ packages: Record<string, Locked | undefined> }>(
      'package-lock.json',
    );
    const brought = new Set<string>(['']);
    for (const path of brought) {
      for (const name of Object.keys(packages[path]?.dependencies ?? {})) {
        const nested = `${path}/node_modules/${name}`;
        brought.add(nested in packages ? nested : `node_modules/${name}`);
      }
    }
    assert.ok(brought.size > 1);
    assert.ok(brought.size <= 15, [...brought].join(', '));
  });

  for (const folder of ['', 'test/packages/']) {
    describe(`${folder}package-lock.json`, () => {
      interface Locked {
        optionalDependencies?: Record<string, string>;
        resolved?: string;
        link?: boolean;
      }
      const { packages } = readJson<{ packages: Record<string, Locked> }>(
        `${folder}package-lock.json`,
      );

      it('names the optional packages of every platform, as npm ci demands', () => {
        const locked = Object.keys(packages);
        for (const [path, { optionalDependencies = {} }] of Object.entries(packages)) {
          // What is outside of the folder is in the other lock file.
          if (!path.startsWith('node_modules/')) continue;
          for (const name of Object.keys(optionalDependencies)) {
            assert.ok(
              locked.some((other) => other.endsWith(`node_modules/${name}`)),
              `${name} of ${path}`,
            );
          }
        }
      });

      it('names no registry', () => {
        for (const [path, { resolved, link }] of Object.entries(packages)) {
          assert.ok(resolved === undefined || link, `${path}: ${resolved}`);
        }
      });
    });
  }

  it('shares each package that it has with those of the tests: one copy, one API', () => {
    const { dependencies, devDependencies } = readJson<Manifest>('package.json');
    const tests = readJson<Manifest>('test/packages/package.json').dependencies;
    const { packages } = readJson<{ packages: object }>('package-lock.json');
    for (const name of Object.keys({ ...dependencies, ...devDependencies, ...tests })) {
      const own = `node_modules/${name}`;
      if (own in packages) assert.equal(tests[name], `file:../../${own}`);
    }
  });
});

interface Manifest {
  dependencies: Record<string, string>;
  devDependencies: Record<string, string>;
}

function readJson<Content>(path: string): Content {
  return JSON.parse(readFileSync(join(ROOT, path), 'utf8')) as Content;
}

/** A file, or what to take under each condition. */
type Target = string | { [condition: string]: Target };

function filesOf(target: Target): string[] {
  return typeof target === 'string' ? [target] : Object.values(target).flatMap(filesOf);
}
