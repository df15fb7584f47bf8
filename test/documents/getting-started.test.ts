import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { build } from 'esbuild';
import { load } from 'js-yaml';

import {
  EXPRESS,
  FASTIFY,
  HONO,
  KOA,
  NEST,
  NEXT,
  type Version,
} from '../instrumentation/frameworks/support/subjects.ts';
import { accepts, freePort } from '../support/instances.ts';
import { startReceiver, type OtlpReceiver, type ReceivedSpan } from '../support/otlp-receiver.ts';
import { toObject } from '../support/otlp-types.ts';
import type { Result, RunningNode } from '../support/run-node.ts';
import { requireService } from '../support/services.ts';
import { cachedInstall } from '../support/user-cache.ts';
import { ROOT, sectionsOf, type Block, type Section } from './support/page.ts';
import { Project } from './support/project.ts';

const sections = sectionsOf('docs/getting-started.md');
const [NODE_MAJOR = 0, NODE_MINOR = 0] = process.versions.node.split('.').map(Number);
/** Whether this Node runs TypeScript without a flag. */
const STRIPS_TYPES = NODE_MAJOR > 22 || (NODE_MAJOR === 22 && NODE_MINOR >= 18);

/** The packages that other tests of the same framework use. */
function installOf(versions: readonly Version[], version: string): string {
  const subject = versions.find((one) => one.version === version);
  assert.ok(subject, version);
  const installed = cachedInstall(join('frameworks', subject.folder), subject.packages);
  subject.prepare?.(installed);
  return installed;
}

describe('docs/getting-started.md', function () {
  this.timeout(180_000);
  let receiver: OtlpReceiver;
  let project: Project | undefined;
  const run = new Set<Block>();

  before(async () => {
    receiver = await startReceiver();
  });
  beforeEach(() => receiver.clear());
  afterEach(() => project?.remove());
  after(() => receiver.close());

  /** The section of that title, whose blocks count as tried. */
  function section(title: string): Section {
    const found = sections.find((one) => one.title === title);
    assert.ok(found, title);
    for (const block of found.blocks) run.add(block);
    return found;
  }

  const shellOf = ({ blocks }: Section): string[] =>
    blocks.filter(({ language }) => language === 'sh').map(({ text }) => text);

  /** Does what a section says: the command, the address, and the span that it promises. */
  async function follow(
    { text }: Section,
    command: string,
    env: Record<string, string> = {},
  ): Promise<ReceivedSpan> {
    assert.ok(project);
    const [, path, name] =
      /`http:\/\/localhost:3000(\S+)` creates the span `([^`]+)`/.exec(text) ?? [];
    assert.ok(path !== undefined && name !== undefined, 'an address and a span');
    await serve(project, [path], command, env);
    const span = receiver.spans.find((one) => one.name === name && one.kind === 2);
    assert.ok(span, receiver.spans.map((one) => one.name).join());
    assert.equal(toObject(span.attributes)['url.path'], path);
    return span;
  }

  /** Runs a server until it has answered requests for `paths` and its spans are sent. */
  async function serve(
    { folder }: Project,
    paths: readonly string[],
    command: string,
    env: Record<string, string>,
  ): Promise<Result> {
    assert.ok(project);
    const port = await freePort();
    const server = project.run(command, {
      OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
      NEXT_TELEMETRY_DISABLED: '1',
      PM2_HOME: join(folder, '.pm2'),
      ...env,
      PORT: String(port),
    });
    await listening(server, port);
    for (const path of paths) {
      const response = await fetch(`http://127.0.0.1:${port}${path}`);
      assert.equal(response.status, 200, await response.text());
    }
    server.child.kill('SIGTERM');
    return server.result();
  }

  for (const [title, installs] of [
    ['Plain HTTP', () => []],
    ['Express', () => [installOf(EXPRESS, '5.3.0')]],
    ['Fastify', () => [installOf(FASTIFY, '5.12.8')]],
    ['Koa', () => [installOf(KOA, '3.3.0')]],
    ['Bundled applications', () => [installOf(EXPRESS, '5.3.0')]],
    ['Cluster', () => []],
  ] as const) {
    it(`traces a request: ${title}`, async () => {
      const found = section(title);
      project = new Project(found.blocks, installs());
      project.link('node_modules/.bin/esbuild', join(ROOT, 'node_modules/.bin/esbuild'));
      const [command = ''] = shellOf(found);
      const span = await follow(found, command);
      assert.equal(span.resource['service.name'], 'shop');
    });
  }

  it('traces a request: NestJS', async () => {
    const found = section('NestJS');
    project = new Project(found.blocks, [installOf(NEST, '12.5.1')]);
    project.write('package.json', '{ "name": "shop", "type": "module" }');
    await build({
      absWorkingDir: project.folder,
      entryPoints: ['src/main.ts'],
      outdir: 'dist',
      format: 'esm',
      tsconfigRaw: { compilerOptions: { experimentalDecorators: true } },
    });
    const span = await follow(found, shellOf(found)[0] ?? '');
    const handler = String(toObject(span.attributes)['code.function.name']);
    assert.ok(found.text.includes(`code.function.name: ${handler}\``), handler);
  });

  it('traces a request: Hono, in TypeScript', async () => {
    const found = section('Hono');
    const tools = STRIPS_TYPES ? [] : [cachedInstall('documents-1', ['tsx@4.23.15'])];
    project = new Project(found.blocks, [installOf(HONO, '4.13.19'), ...tools]);
    project.write('package.json', '{ "name": "shop", "type": "module" }');
    const [stripped = '', byTsx = ''] = shellOf(found);
    await follow(found, STRIPS_TYPES ? stripped : byTsx);
  });

  it('traces a request: Next.js', async () => {
    const found = section('Next.js');
    const installed = installOf(NEXT, '16.4.6');
    project = new Project([], [installed]);
    // Building takes half a minute: this application of other tests has the same route.
    project.link('.next', join(installed, '.next'));
    const built = readFileSync(join(installed, 'app/api/users/[id]/route.js'), 'utf8');
    const [route] = found.blocks;
    for (const line of route?.text.split('\n').slice(1) ?? [])
      assert.ok(built.includes(line), line);
    await follow(found, shellOf(found)[0] ?? '');
  });

  it('traces a request: pm2', async () => {
    const found = section('pm2');
    project = new Project(found.blocks, [
      cachedInstall('launchers-4', ['pm2@7.0.4', 'nodemon@3.1.14']),
    ]);
    const span = await follow(found, shellOf(found)[0] ?? '');
    assert.equal(span.resource['service.name'], 'shop');
  });

  it('traces a request: worker threads', async () => {
    const found = section('Worker threads');
    project = new Project(found.blocks);
    const span = await follow(found, shellOf(found)[0] ?? '');
    const sum = receiver.spans.find(({ name }) => name === 'sum');
    assert.equal(sum?.parentSpanId, span.spanId);
  });

  describe('in test runners', () => {
    let redis: string;
    before(async function () {
      redis = await requireService(this, 'redis');
    });

    for (const title of ['Vitest', 'Jest']) {
      it(`asserts about spans: ${title}`, async () => {
        const found = section(title);
        const packages = ['vitest@4.1.12', 'jest@30.5.2', 'ioredis@6.0.0'];
        project = new Project(found.blocks, [cachedInstall('test-runners-1', packages)]);
        const right = project.run(shellOf(found)[0] ?? '', { REDIS_URL: redis });
        const { code, stdout, stderr } = await right.result();
        assert.equal(code, 0, stdout + stderr);
      });
    }
  });

  describe('in containers', () => {
    const app = sections.find(({ title }) => title === 'Plain HTTP')?.blocks ?? [];
    const dockerfile = section('Docker').blocks[0]?.text ?? '';
    const compose = load(section('Compose, with Jaeger').blocks[0]?.text ?? '') as Compose;
    const deployment = load(
      section('Kubernetes, with a collector').blocks[0]?.text ?? '',
    ) as Deployment;
    const { shop } = compose.services;
    const [container] = deployment.spec.template.spec.containers;
    assert.ok(shop && container);
    const inDockerfile = [...dockerfile.matchAll(/^ENV (\w+)="?([^"\n]*)"?$/gm)].map(
      ([, name = '', value = '']) => [name, value] as const,
    );

    /** Runs the application as the container would, with its collector on this machine. */
    async function contain(command: readonly string[], env: Record<string, string>): Promise<void> {
      project = new Project(app);
      const { OTEL_EXPORTER_OTLP_ENDPOINT: endpoint = '', ...rest } = env;
      assert.match(endpoint, /^http:\/\/[\w.-]+:4318$/);
      await serve(project, ['/hello', '/healthz'], command.join(' '), rest);
      const [span, ...more] = receiver.spans;
      assert.ok(span);
      assert.equal(toObject(span.attributes)['url.path'], '/hello');
      const { OTEL_SERVICE_NAME: name, CLEW_HTTP_IGNORE_INCOMING: ignored } = env;
      assert.equal(span.resource['service.name'], name);
      assert.equal(more.length, ignored?.includes('/healthz') ? 0 : 1);
      for (const pair of env['OTEL_RESOURCE_ATTRIBUTES']?.split(',') ?? []) {
        const [key = '', value] = pair.split('=');
        assert.equal(span.resource[key], value);
      }
    }

    it('traces a request with what the Dockerfile sets', async () => {
      const command = JSON.parse(/^CMD (.*)$/m.exec(dockerfile)?.[1] ?? '') as string[];
      await contain(command, Object.fromEntries(inDockerfile));
      assert.deepEqual({ ...shop.environment }, Object.fromEntries(inDockerfile));
    });

    it('traces a request with what the deployment sets', async () => {
      const variables = container.env.map(({ name, value }) => [name, value ?? 'shop-1'] as const);
      const env = Object.fromEntries(variables);
      for (const [name, value] of Object.entries(env)) {
        env[name] = value.replaceAll(/\$\((\w+)\)/g, (_, other: string) => env[other] ?? '');
      }
      await contain(container.command, env);
    });

    // The other commands of the beginning have tests of their own: test/cli/view.test.ts and above.
    it('starts the Jaeger that docker-compose.yml starts', () => {
      const { services } = load(readFileSync(join(ROOT, 'docker-compose.yml'), 'utf8')) as Compose;
      assert.equal(compose.services['jaeger']?.image, services['jaeger']?.image);
      const text = section('Getting started').text;
      assert.ok(text.includes(services['jaeger']?.image ?? 'none'));
    });
  });

  after(function () {
    // A run of one test tries its own blocks alone.
    if (this.test?.parent?.tests.some(({ state }) => state !== 'passed')) return;
    const all = sections.flatMap(({ blocks }) => blocks);
    const left = all.filter((block) => !run.has(block) && !block.text.startsWith('npm i '));
    assert.deepEqual(left, []);
  });
});

interface Compose {
  services: Record<string, { image?: string; environment?: Record<string, string> }>;
}

interface Deployment {
  spec: {
    template: {
      spec: {
        containers: { command: string[]; env: { name: string; value?: string }[] }[];
      };
    };
  };
}

/** Resolves once `server` accepts connections; rejects where it ends before. */
async function listening(server: RunningNode, port: number): Promise<void> {
  let ended: Result | undefined;
  void server.result().then((result) => (ended = result));
  while (!(await accepts(port))) {
    if (ended) throw new Error(`It ended: ${ended.stdout}${ended.stderr}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
