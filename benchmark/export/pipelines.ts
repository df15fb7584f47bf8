import { createRequire } from 'node:module';

import { SpanKind, type Tracer } from '@opentelemetry/api';
import * as exporter2 from '@opentelemetry/exporter-trace-otlp-http';
import * as sdk2 from '@opentelemetry/sdk-trace-base';

import { createDelivery } from '../../src/index.ts';
import { sdk3Folder } from '../../test/support/sdk-3.ts';

/** A tracer whose spans go through one of the pipelines that are compared. */
export interface Pipeline {
  tracer: Tracer;
  shutdown(): Promise<void>;
}

interface Provider {
  getTracer(name: string, version: string): Tracer;
  shutdown(): Promise<void>;
}
interface Processors {
  spanProcessors: sdk2.SpanProcessor[];
}

/** What is used of either version of the SDK. */
interface Sdk {
  provider(options: Processors): Provider;
  batches(options: { url: string; compression: string }): sdk2.SpanProcessor;
}

const SDK_2: Sdk = {
  provider: (options) => new sdk2.BasicTracerProvider(options),
  // The algorithms of OpenTelemetry are an enum, of the same words.
  batches: ({ url, compression }) =>
    new sdk2.BatchSpanProcessor(
      new exporter2.OTLPTraceExporter({ url, compression: compression as never }),
    ),
};

function loadSdk3(): Sdk {
  const load = createRequire(`${sdk3Folder()}/index.js`);
  const { TracerProvider, BatchSpanProcessor } = load('@opentelemetry/sdk-trace') as {
    TracerProvider: new (options: Processors) => Provider;
    BatchSpanProcessor: new (options: { exporter: object }) => sdk2.SpanProcessor;
  };
  const { OTLPTraceExporter } = load('@opentelemetry/exporter-trace-otlp-http') as {
    OTLPTraceExporter: new (options: object) => object;
  };
  return {
    provider: (options) => new TracerProvider(options),
    batches: (options) => new BatchSpanProcessor({ exporter: new OTLPTraceExporter(options) }),
  };
}

const noProcessor: sdk2.SpanProcessor = {
  onStart: () => undefined,
  onEnd: () => undefined,
  forceFlush: () => Promise.resolve(),
  shutdown: () => Promise.resolve(),
};

/** By name; each behind the SDK of its version: `none` makes spans and has no processor. */
export const PIPELINES: readonly string[] = [
  'none',
  'sdk',
  'sdk gzip',
  'clew',
  'clew gzip',
  'clew gzip spool',
  'clew gzip one thread',
];

/** Makes the pipeline `name` under the SDK of the line `version`, which sends to `url`. */
export function openPipeline(
  name: string,
  version: '2' | '3',
  url: string,
  spool: string,
): Pipeline {
  const sdk = version === '3' ? loadSdk3() : SDK_2;
  const [who, ...options] = name.split(' ');
  const compression = options.includes('gzip') ? 'gzip' : 'none';
  let processor = noProcessor;
  if (who === 'sdk') {
    processor = sdk.batches({ url, compression });
  } else if (who === 'clew') {
    processor = createDelivery({
      url,
      compression,
      ...(options.includes('spool') && { spool }),
      ...(options.includes('thread') && { thread: false }),
    });
  }
  const provider = sdk.provider({ spanProcessors: [processor] });
  return {
    tracer: provider.getTracer('benchmark', '1.0.0'),
    shutdown: () => provider.shutdown(),
  };
}

/** Ends a span with what that of a query has. */
export function endSpan(tracer: Tracer, index: number): void {
  tracer
    .startSpan('SELECT orders', {
      kind: SpanKind.CLIENT,
      attributes: {
        'db.system.name': 'postgresql',
        'db.namespace': 'shop',
        'db.operation.name': 'SELECT',
        'db.query.text': `SELECT * FROM orders WHERE id = $1 AND customer = $2 LIMIT ${index}`,
        'server.address': 'db.internal',
        'server.port': 5432,
        'clew.wait.ms': 1.25,
      },
    })
    .end();
}
