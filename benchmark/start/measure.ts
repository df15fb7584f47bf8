import { Answerer } from '../app/process.ts';
import { publishedFolder } from '../app/published.ts';
import { applicationFolder, VARIANTS } from '../app/variants.ts';
import type { Metrics } from '../harness/group.ts';

/** What the start of a program costs under a variant, until it listens. */
export async function measureStart(variant: string, program: string): Promise<Metrics> {
  const started = VARIANTS[variant]!;
  const folder = applicationFolder();
  const [file, ...rest] = program.split(' ') as [string, ...string[]];
  const start = performance.now();
  const service = await Answerer.start(file, rest, {
    // Nothing is recorded, and no collector has to be there.
    env: { ...process.env, ...started.env('http://127.0.0.1:9'), APP_FOLDER: folder },
    execArgv: [...started.args(folder)],
    cwd: publishedFolder(),
  });
  const elapsed = performance.now() - start;
  // The peers begin some of their work after the first answer; memory is what is there then.
  await new Promise((resolve) => setTimeout(resolve, 200));
  const { cpu, memory } = await service.ask<{ cpu: number; memory: number }>('usage');
  await service.stop();
  return { wall: elapsed, cpu: cpu / 1000, memory: memory / 2 ** 20 };
}
