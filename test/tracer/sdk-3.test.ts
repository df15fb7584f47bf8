import assert from 'node:assert/strict';
import { readFileSync, rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

import { OtlpReceiver } from '../support/otlp-receiver.ts';
import { toObject } from '../support/otlp-types.ts';
import { fixture, runNode } from '../support/run-node.ts';
import { canRunSdk3, sdk3Project } from '../support/sdk-3.ts';
import { requireService, skipSuite } from '../support/services.ts';

const MANIFEST = fileURLToPath(new URL('../../../package.json', import.meta.url));

describe('the tracer under OpenTelemetry JS 3.x', function () {
  this.timeout(180_000);

  it('puts the split and the async resources on what it exports', async function () {
    if (!canRunSdk3()) skipSuite(this, 'SDK 3: it needs Node 22.15 or later');
    const databaseUrl = await requireService(this, 'postgresql');
    const project = sdk3Project(
      JSON.parse(readFileSync(MANIFEST, 'utf8')) as { dependencies: Record<string, string> },
    );
    const receiver = await new OtlpReceiver().listen();
    try {
      const args = ['--import', project.registerUrl, fixture('query.mjs')];
      const env = {
        OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
        DATABASE_URL: databaseUrl,
        CLEW_TRACER: 'watch',
        CLEW_RESOURCE_SPANS: '1',
      };
      const result = await runNode(args, { cwd: project.folder, env });
      assert.equal(result.stderr, '');
      const spans = await receiver.waitForSpans(4);
      const attributes = spans.map((span) => toObject(span.attributes));
      const ofServer = attributes[spans.findIndex((span) => span.kind === 2)];
      const ofQuery = attributes.find((one) => 'db.system.name' in one);
      for (const one of [ofServer, ofQuery]) assert.equal(typeof one?.['clew.run.ms'], 'number');
      assert.ok(attributes.some((one) => 'clew.async_resource.type' in one));
    } finally {
      await receiver.close();
      rmSync(project.folder, { recursive: true });
    }
  });
});
