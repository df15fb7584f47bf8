import { readdirSync } from 'node:fs';
import { join, sep } from 'node:path';

/*
 * The tests run in several processes, a group of files each: what one leaves behind (memory, libraries that
 * are loaded, hooks) does not reach the next group, and two run at once.
 */

/** Folders of `build/test`, the longest group first; what stands in none of them is the group `others`. */
const GROUPS: Readonly<Record<string, readonly string[]>> = {
  clients: ['instrumentation/clients'],
  // Documents start applications of the frameworks, and the one of Next.js is built by the first that needs it.
  frameworks: ['instrumentation/frameworks', 'instrumentation/http', 'documents'],
  commands: ['cli', 'diagnosis'],
  preload: ['preload', 'testing'],
  viewer: ['viewer', 'view-page', 'jaeger', 'tracer'],
  queues: ['instrumentation/messaging', 'instrumentation/processes', 'instrumentation/loggers'],
  export: ['export'],
  instrumentation: ['instrumentation'],
  context: ['async', 'base', 'carry', 'context', 'patch'],
};

export interface TestGroup {
  name: string;
  /** Paths relative to the working directory. */
  files: string[];
}

/** Every compiled test file below `folder` is in exactly one group: that of the longest folder that holds it. */
export function testGroups(folder: string): TestGroup[] {
  const groups = new Map<string, string[]>(Object.keys(GROUPS).map((name) => [name, []]));
  groups.set('others', []);
  for (const file of readdirSync(folder, { recursive: true, encoding: 'utf8' }).toSorted()) {
    if (file.endsWith('.test.js')) groups.get(groupOf(file))?.push(join(folder, file));
  }
  return [...groups].map(([name, files]) => ({ name, files }));
}

function groupOf(file: string): string {
  const path = file.split(sep).join('/');
  let found = { name: 'others', length: 0 };
  for (const [name, folders] of Object.entries(GROUPS)) {
    for (const { length } of folders.filter((each) => path.startsWith(`${each}/`))) {
      if (length > found.length) found = { name, length };
    }
  }
  return found.name;
}
