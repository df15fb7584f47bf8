import assert from 'node:assert/strict';

import type { Finding, Report } from '../../src/diagnosis/finding.ts';
import type { Result } from '../support/run-node.ts';
import { Project } from './project.ts';

interface Expected {
  name: Finding['name'];
  certainty: Finding['certainty'];
  /** The mark of the application's line in `classes.mjs`. */
  yours: string;
  /** The async resource, and the mark of its birth or the request that created it. */
  resource?: { type: string; born?: string; bornIn?: string };
  /** The package, or the application, and the mark of its line. */
  handOver?: { package?: string; mark: string };
  /** Of whom the context is that was active, and the mark of the line or the package that activated it. */
  context?: { of?: string; by: string };
  owner: string;
  count: number;
}

const HTTP = 'HTTPINCOMINGMESSAGE';
const BY_HTTP = '@opentelemetry/instrumentation-http';
/** The library of each class is one that no rule names. */
const CLASSES: Record<string, Expected> = {
  'a callback queue whose connection is older': {
    name: 'CLEW-LOST-QUEUE',
    certainty: 'proven',
    yours: 'queue: yours',
    resource: { type: 'TCPWRAP', born: 'queue: born' },
    handOver: { package: 'line-client', mark: 'query hands over' },
    owner: 'GET /queue',
    count: 1,
  },
  'a pool that calls the next in line from a release': {
    name: 'CLEW-MIXED-QUEUE',
    certainty: 'proven',
    yours: 'pool: yours',
    resource: { type: HTTP, bornIn: 'GET /pool' },
    context: { of: 'GET /pool', by: BY_HTTP },
    handOver: { package: 'line-client', mark: 'pool hands over' },
    owner: 'GET /pool',
    count: 2,
  },
  'a task queue': {
    name: 'CLEW-MIXED-QUEUE',
    certainty: 'proven',
    yours: 'task: yours',
    resource: { type: HTTP, bornIn: 'GET /task' },
    context: { of: 'GET /task', by: BY_HTTP },
    handOver: { package: 'task-runner', mark: 'task hands over' },
    owner: 'GET /task',
    count: 2,
  },
  'an emitter that is older than the request': {
    name: 'CLEW-LOST-EMITTER',
    certainty: 'proven',
    yours: 'emitter: yours',
    resource: { type: 'TCPWRAP', born: 'const bus = ' },
    handOver: { package: 'reply-bus', mark: 'emitter hands over' },
    owner: 'GET /emitter',
    count: 1,
  },
  'a timer that outlives its request': {
    name: 'CLEW-STALE-TIMER',
    certainty: 'proven',
    yours: 'timer: span',
    resource: { type: 'Timeout', born: 'setInterval(', bornIn: 'GET /timer' },
    context: { of: 'GET /timer', by: BY_HTTP },
    owner: 'GET /timer',
    count: 4,
  },
  'the callbacks of a batch': {
    name: 'CLEW-MIXED-QUEUE',
    certainty: 'proven',
    yours: 'batch: yours',
    resource: { type: HTTP, bornIn: 'GET /batch' },
    context: { of: 'GET /batch', by: BY_HTTP },
    handOver: { package: 'batch-loader', mark: 'batch hands over' },
    owner: 'GET /batch',
    count: 1,
  },
  'a batch whose timer is that of a request which has ended': {
    name: 'CLEW-MIXED-QUEUE',
    certainty: 'proven',
    yours: 'tick: yours',
    resource: { type: 'Timeout', born: 'tick: born', bornIn: 'GET /first-tick' },
    context: { of: 'GET /first-tick', by: BY_HTTP },
    handOver: { package: 'tick-batch', mark: 'tick hands over' },
    owner: 'GET /tick',
    count: 2,
  },
  'a promise implementation with one queue': {
    name: 'CLEW-MIXED-QUEUE',
    certainty: 'proven',
    yours: 'promise: yours',
    resource: { type: 'Timeout', bornIn: 'GET /promise' },
    context: { of: 'GET /promise', by: BY_HTTP },
    handOver: { package: 'own-promise', mark: 'promise hands over' },
    owner: 'GET /promise',
    count: 1,
  },
  'a buffered log': {
    name: 'CLEW-MIXED-QUEUE',
    certainty: 'proven',
    yours: 'log: yours',
    resource: { type: HTTP, bornIn: 'GET /log' },
    context: { of: 'GET /log', by: BY_HTTP },
    handOver: { package: 'line-log', mark: 'log hands over' },
    owner: 'GET /log',
    count: 1,
  },
  'a signal that crosses from one request to another': {
    name: 'CLEW-MIXED-EMITTER',
    certainty: 'likely',
    yours: 'signal: yours',
    resource: { type: HTTP, bornIn: 'GET /go' },
    context: { of: 'GET /go', by: BY_HTTP },
    handOver: { mark: 'signal: emits' },
    owner: 'GET /wait',
    count: 1,
  },
  'a snapshot of start-up': {
    name: 'CLEW-LOST-CALLBACK',
    certainty: 'proven',
    yours: 'node: yours',
    owner: 'GET /node',
    count: 1,
  },
  'a context that the application kept and activates again': {
    name: 'CLEW-MIXED-CALLBACK',
    certainty: 'likely',
    yours: 'saved: yours',
    resource: { type: HTTP, bornIn: 'GET /saved' },
    context: { of: 'GET /saved', by: 'saved: yours' },
    owner: 'GET /saved',
    count: 1,
  },
  'a context of no request that the application activates': {
    name: 'CLEW-LOST-CALLBACK',
    certainty: 'proven',
    yours: 'rooted: yours',
    resource: { type: HTTP, bornIn: 'GET /rooted' },
    context: { by: 'context.with(ROOT_CONTEXT' },
    owner: 'GET /rooted',
    count: 1,
  },
  'a span that was not made active': {
    name: 'CLEW-SPAN-NOT-ACTIVE',
    certainty: 'likely',
    yours: 'inactive: yours',
    owner: 'GET /inactive',
    count: 1,
  },
};

const REGISTER = new URL('../../src/register.js', import.meta.url).href;

for (const [setup, args] of [
  ['OpenTelemetry alone', ['--import', './tracing.mjs']],
  ["clew's own set-up", ['--import', REGISTER]],
  ['no tracing at all', []],
] as const) {
  describe(`clew doctor, with ${setup}, names the line, the async resource, the hand-over, the owner and how sure it is of`, function () {
    this.timeout(120_000);
    let project: Project;
    let report: Report;
    let result: Result;

    before(async () => {
      project = new Project({ env: { OTEL_TRACES_EXPORTER: 'none' } });
      ({ report, result } = await project.doctor(...args, 'classes.mjs'));
    });
    after(() => project.remove());

    const line = (mark: string): string => `classes.mjs:${project.line('classes.mjs', mark)}`;
    const placeOf = (place: { file: string; line: number } | undefined): string | undefined =>
      place && `${place.file.split('/').at(-1)}:${place.line}`;

    const contextOf = ({ context }: Finding): unknown =>
      context && { of: context.of, by: context.package ?? placeOf(context.place) };
    const contextIn = ({ context }: Expected): unknown => {
      if (!context?.by.startsWith('@')) return context && { of: context.of, by: line(context.by) };
      return { of: context.of, by: args[1] === REGISTER ? 'clew' : context.by };
    };

    for (const [title, expected] of Object.entries(CLASSES)) {
      const needsSpans = /STALE|ACTIVE/.test(expected.name) || /saved|rooted/.test(expected.yours);
      if (needsSpans && args.length === 0) continue;
      it(title, () => {
        const yours = line(expected.yours);
        const finding = report.findings.find(
          ({ yourLine, note }) => !note && placeOf(yourLine) === yours,
        );
        assert.ok(
          finding,
          `${yours} of ${report.findings.map(({ summary }) => summary).join('\n')}`,
        );
        const { resource, handOver } = expected;
        assert.equal(finding.name, expected.name);
        assert.equal(finding.certainty, expected.certainty);
        assert.equal(finding.count, expected.count);
        assert.equal(finding.owner?.label, expected.owner);
        assert.equal(finding.owner.count, expected.count);
        assert.equal(finding.resource?.type, resource?.type);
        assert.equal(finding.resource?.bornIn, resource?.bornIn);
        if (resource?.born) assert.equal(placeOf(finding.resource?.born), line(resource.born));
        if (args.length > 0) assert.deepEqual(contextOf(finding), contextIn(expected));
        else assert.equal(finding.context, undefined);
        assert.equal(finding.handOver?.package, handOver?.package);
        if (!handOver) return assert.equal(finding.handOver, undefined);
        const file = handOver.package ? `packages/${handOver.package}/index.js` : 'classes.mjs';
        const at = project.line(file, handOver.mark);
        assert.equal(placeOf(finding.handOver), `${file.split('/').at(-1)}:${at}`);
      });
    }

    it('nothing else, and exits with 1', () => {
      assert.equal(result.code, 1, result.stderr);
      const known = Object.values(CLASSES).map(({ yours }) => line(yours));
      const others = report.findings.filter(
        ({ note, yourLine }) => !note && !known.includes(placeOf(yourLine) ?? ''),
      );
      assert.deepEqual(others, []);
    });

    if (args.length > 0) {
      it('a batch that served several requests, as a note', () => {
        const note = report.findings.find(({ name }) => name === 'CLEW-BATCHED');
        assert.equal(placeOf(note?.yourLine), line('batch: yours'));
        assert.equal(note?.note, true);
      });
    }
  });
}
