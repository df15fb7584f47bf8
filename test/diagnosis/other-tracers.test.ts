import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import semver from 'semver';

import type { Report } from '../../src/diagnosis/finding.ts';
import { skipSuite } from '../support/services.ts';
import { cachedInstall } from '../support/user-cache.ts';
import { Project } from './project.ts';

const SETUPS = [
  {
    name: '@opentelemetry/auto-instrumentations-node',
    folder: 'doctor-otel-auto-0.70',
    packages: ['@opentelemetry/auto-instrumentations-node@0.70.1', '@opentelemetry/api@1.9.1'],
    preload: '@opentelemetry/auto-instrumentations-node/build/src/register.js',
  },
  {
    name: '@opentelemetry/auto-instrumentations-node',
    folder: 'doctor-otel-auto-0.82',
    packages: ['@opentelemetry/auto-instrumentations-node@0.82.0', '@opentelemetry/api@1.10.0'],
    preload: '@opentelemetry/auto-instrumentations-node/dist/register.cjs',
  },
  {
    name: '@sentry/node',
    folder: 'doctor-sentry-11.12',
    packages: ['@sentry/node@11.12.0'],
    // It is set up by code, and its spans are none of OpenTelemetry's: the doctor goes without.
    preload: undefined,
  },
  {
    name: 'dd-trace',
    folder: 'doctor-dd-trace-6.21',
    packages: ['dd-trace@6.21', '@opentelemetry/api@1.9'],
    preload: 'dd-trace/init',
  },
];
const QUIET: Record<string, string> = {
  OTEL_TRACES_EXPORTER: 'console',
  OTEL_METRICS_EXPORTER: 'none',
  OTEL_LOGS_EXPORTER: 'none',
  OTEL_NODE_RESOURCE_DETECTORS: 'none',
  DD_TRACE_STARTUP_LOGS: 'false',
  DD_INSTRUMENTATION_TELEMETRY_ENABLED: 'false',
  DD_REMOTE_CONFIGURATION_ENABLED: 'false',
};

function runsHere(folder: string): boolean {
  const { engines } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as {
    engines?: { node?: string };
  };
  return semver.satisfies(process.versions.node, engines?.node ?? '*');
}

for (const { name, folder, packages, preload } of SETUPS) {
  describe(`clew doctor beside ${packages[0]}`, function () {
    this.timeout(300_000);
    let project: Project | undefined;
    let report: Report;

    before(async function () {
      const modules = join(cachedInstall(folder, packages), 'node_modules');
      // dd-trace does nothing on a Node it is not made for.
      if (!runsHere(join(modules, name))) skipSuite(this, `${name}: it is not made for this Node`);
      project = new Project({ modules, env: { ...QUIET, TRACER: join(modules, name) } });
      const first = preload
        ? ['--require', join(modules, preload)]
        : ['--import', './load-tracer.cjs'];
      const preloads = [...first, '--require', './load-http.cjs'];
      ({ report } = await project.doctor(...preloads, 'classes.mjs'));
    });
    after(() => project?.remove());

    it('takes no tracer for what handed over, and finds no fault in how it was loaded', () => {
      for (const { kind, name: what, summary, handOver } of report.findings) {
        // Nothing answers where they send.
        if (what !== 'CLEW-SETUP-NO-COLLECTOR') assert.notEqual(kind, 'setup', summary);
        const tracers = /node_modules\/(?:@sentry|@opentelemetry|dd-trace)\//;
        assert.doesNotMatch(handOver?.file ?? '', tracers);
      }
    });

    it('sees its spans and finds the losses of its set-up, by line and package', () => {
      if (preload) assert.ok(report.spans >= report.requests, `${report.spans} spans`);
      for (const [mark, library, kind] of [
        ['queue: yours', 'line-client', 'lost'],
        ['pool: yours', 'line-client', 'mixed'],
        ['task: yours', 'task-runner', 'mixed'],
        ['emitter: yours', 'reply-bus', 'lost'],
        ['batch: yours', 'batch-loader', 'mixed'],
        ['promise: yours', 'own-promise', 'mixed'],
        ['log: yours', 'line-log', 'mixed'],
      ]) {
        const line = project?.line('classes.mjs', mark ?? '');
        const found = report.findings.find(({ yourLine }) => yourLine?.line === line);
        // A tracer may leave a span of its own active on a connection: then the work is in that trace.
        assert.ok(found !== undefined && [kind, 'mixed'].includes(found.kind), mark);
        assert.equal(found.certainty, 'proven', mark);
        assert.equal(found.handOver?.package, library, mark);
        // A context of their own that was active instead names its way there.
        if (preload && found.kind === 'mixed') assert.notEqual(found.context, undefined, mark);
      }
    });
  });
}
