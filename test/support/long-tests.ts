import { matchesGlob } from 'node:path';

/*
 * What takes most of the time: other tools, servers and processes by the dozen, each option in each API form.
 * `npm test` leaves it out and takes minutes; `npm run test:long` runs it, and `.ci/run` both.
 */
const LONG = [
  'build/test/cli/{demo,doctor-*,view}.test.js',
  'build/test/diagnosis/{healthy,libraries,other-tracers,own-queues}.test.js',
  'build/test/documents/{getting-started,recipes}.test.js',
  'build/test/export/table/*.test.js',
  'build/test/instrumentation/clients/{bad-input,bundled,events,reports,statement-builders,throwing-calls}.test.js',
  'build/test/instrumentation/clients/*/{cluster,idle-worker,modules,native,options,versions}.test.js',
  'build/test/instrumentation/frameworks/{graphql,grpc,handler-spans,nest,next,official,small-frameworks,trpc}.test.js',
  'build/test/instrumentation/processes/*.test.js',
  'build/test/preload/{all-clients,process-managers,real-tools,single-executable,tools}.test.js',
  'build/test/testing/runners.test.js',
  'build/test/view-page/*.test.js',
];

/** Whether a compiled test file is one of those. */
export function isLong(file: string): boolean {
  return LONG.some((glob) => matchesGlob(file, glob));
}
