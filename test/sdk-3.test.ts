import assert from 'node:assert/strict';
import { readFileSync, rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

import { OtlpReceiver } from './support/otlp-receiver.ts';
import { toObject } from './support/otlp-types.ts';
import { fixture, runNode } from './support/run-node.ts';
import { canRunSdk3, sdk3Project, type Sdk3Project } from './support/sdk-3.ts';
import { requireService, skipSuite } from './support/services.ts';

const MANIFEST = fileURLToPath(new URL('../../package.json', import.meta.url));

describe('OpenTelemetry JS 3.x', function () {
  this.timeout(180_000);
  let project: Sdk3Project;
  let databaseUrl: string;

  before(async function () {
    if (!canRunSdk3()) skipSuite(this, 'SDK 3: it needs Node 22.15 or later');
    databaseUrl = await requireService(this, 'postgresql', { embedded: true });
    project = sdk3Project(
      JSON.parse(readFileSync(MANIFEST, 'utf8')) as { dependencies: Record<string, string> },
    );
  });
  after(() => {
    if (project) rmSync(project.folder, { recursive: true });
  });

  for (const application of ['query.mjs', 'query.cjs']) {
    it(`traces ${application} as 2.x does: request and query in one trace`, async () => {
      const receiver = await new OtlpReceiver().listen();
      try {
        const result = await runNode(['--import', project.registerUrl, fixture(application)], {
          cwd: project.folder,
          env: {
            OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
            OTEL_SERVICE_NAME: 'three',
            DATABASE_URL: databaseUrl,
          },
        });
        assert.equal(result.stdout, 'answer 1\n', result.stderr);
        assert.equal(result.stderr, '');
        const spans = await receiver.waitForSpans(3);
        const server = spans.find((span) => span.kind === 2);
        const query = spans.find((span) => 'db.system.name' in toObject(span.attributes));
        assert.equal(query?.parentSpanId, server?.spanId);
        assert.equal(query?.resource['service.name'], 'three');
        assert.ok(query && server);
        assert.ok(BigInt(query.startTimeUnixNano) >= BigInt(server.startTimeUnixNano));
        assert.ok(BigInt(query.endTimeUnixNano) <= BigInt(server.endTimeUnixNano));
        // Both go by one clock; the SDK by itself starts each at a whole millisecond.
        assert.notEqual(BigInt(query.startTimeUnixNano) % 1_000_000n, 0n);
      } finally {
        await receiver.close();
      }
    });
  }
});
