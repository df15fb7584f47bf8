import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';

import { Answerer } from '../app/process.ts';
import { measureQueue } from '../export/memory.ts';
import { endSpan, openPipeline, PIPELINES, type Pipeline } from '../export/pipelines.ts';
import type { BenchmarkCase, BenchmarkGroup, Metrics } from '../harness/group.ts';

const RATE = 5000;
/** Spans of a sample: two seconds, in which every pipeline sends some batches. */
const SPANS = 10_000;

/** Time on the CPU of the application's own thread, in microseconds; Linux gives it in nanoseconds. */
function mainThreadMicros(): number {
  const [nanos] = readFileSync(`/proc/self/task/${process.pid}/schedstat`, 'utf8').split(' ');
  return Number(nanos) / 1000;
}

/** Ends `count` spans at a steady rate. */
async function produce({ tracer }: Pipeline, count: number): Promise<void> {
  const started = performance.now();
  for (let ended = 0; ended < count;) {
    const due = Math.min(count, Math.floor(((performance.now() - started) * RATE) / 1000));
    for (; ended < due; ended += 1) endSpan(tracer, ended % 100);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

async function measure(pipeline: Pipeline, count: number): Promise<Metrics> {
  const delay = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();
  const from = { main: mainThreadMicros(), all: process.cpuUsage() };
  await produce(pipeline, count);
  const all = process.cpuUsage(from.all);
  const main = mainThreadMicros() - from.main;
  delay.disable();
  return {
    main: main / count,
    all: (all.user + all.system) / count,
    p99: delay.percentile(99) / 1e6,
    max: delay.max / 1e6,
  };
}

function sdk(version: '2' | '3', name: string, variants: readonly string[]): BenchmarkCase {
  return {
    name,
    variants,
    metrics: {
      main: 'us of the main thread',
      all: 'us of all threads',
      p99: 'ms loop delay p99',
      max: 'ms at worst',
    },
    prepare: async (variant) => {
      const collector = await Answerer.start<{ port: number }>('./collector.js', [], {});
      const url = `http://127.0.0.1:${collector.hello.port}/v1/traces`;
      const folder = mkdtempSync(join(tmpdir(), 'clew-bench-'));
      const pipeline = openPipeline(variant, version, url, join(folder, 'spool'));
      return {
        preflight: async () => {
          await produce(pipeline, SPANS);
          // The batches of the SDK wait for five seconds, unless they are full.
          const { bytes } = await collector.ask<{ bytes: number }>('bytes');
          assert.equal(bytes > 0, variant !== 'none', `${bytes} bytes came of ${SPANS} spans`);
        },
        run: (count) => measure(pipeline, count),
        count: SPANS,
        warmUps: 0,
        close: async () => {
          await pipeline.shutdown();
          await collector.stop();
          rmSync(folder, { recursive: true });
        },
      };
    },
  };
}

export const group: BenchmarkGroup = {
  description: `a span with seven attributes on its way to a collector, at ${RATE} a second: what each pipeline adds to spans that go nowhere`,
  mark: 'bench-export',
  variants: PIPELINES,
  baseline: 'none',
  ours: ['clew', 'clew gzip'],
  peers: ['sdk', 'sdk gzip'],
  rounds: 5,
  quick: {
    cases: ['behind OpenTelemetry SDK 2.12'],
    variants: ['sdk', 'sdk gzip', 'clew', 'clew gzip'],
    rounds: 2,
  },
  // As an application runs it: with its own threads and memory.
  launch: () => ({ execArgv: ['--expose-gc'] }),
  render: 'metrics',
  cases: [
    sdk('2', 'behind OpenTelemetry SDK 2.12', PIPELINES),
    sdk('3', 'behind OpenTelemetry SDK 3.1', PIPELINES.slice(0, 5)),
    {
      name: 'a span that waits for the collector',
      variants: ['none', 'clew'],
      metrics: { rss: 'bytes of the process', stored: 'bytes as stored' },
      prepare: (variant) => measureQueue(variant === 'clew'),
    },
  ],
};
