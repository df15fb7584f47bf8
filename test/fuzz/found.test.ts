import { gzipSync } from 'node:zlib';

import { assertCpuTime } from './run-target.ts';
import { TARGETS } from './targets.ts';

const SPAN = { traceId: 'ab'.repeat(16), spanId: 'cd'.repeat(8), name: 'x' };
const otlpOf = (span: object): string =>
  JSON.stringify({ resourceSpans: [{ scopeSpans: [{ spans: [{ ...SPAN, ...span }] }] }] });
const ruleOf = (rule: unknown): string =>
  JSON.stringify({ rules: { 'my-pool': { 'Pool#a': rule } } });
const headersOf = (headers: Record<string, string>): unknown => [headers, '/', ''];

/** A field of protobuf that holds bytes; the lengths here are below 2 ** 21. */
function field(number: number, content: Buffer): Buffer {
  const { length } = content;
  const size = [(length & 127) | 128, ((length >>> 7) & 127) | 128, length >>> 14];
  return Buffer.concat([Buffer.from([(number << 3) | 2, ...size]), content]);
}
const spanOf = (content: Buffer): Buffer => field(1, field(2, field(2, content)));

/** An attribute with an integer that comes as `length` bytes. */
const integerOf = (length: number): Buffer =>
  spanOf(field(9, field(2, field(3, Buffer.alloc(length, 0xff)))));

function nested(depth: number): Buffer {
  let value: Buffer = Buffer.alloc(0);
  for (let i = 0; i < depth; i++) value = field(5, field(1, value));
  return spanOf(field(9, field(2, value)));
}

const recordingOf = (owner: object): Buffer => {
  const header = { node: 'v24', pid: 1, timeOrigin: 1, program: 'a', startedAt: 1, level: 'deep' };
  const group = { root: [1, 0, -1], at: [0, 1], by: 'end', dropped: 0, owner };
  return gzipSync(`${JSON.stringify(['clew', 1, header])}\n${JSON.stringify(['g', group, []])}\n`);
};
const report = (part: object): string => {
  const finding = { name: 'A', kind: 'lost', summary: 's', count: 1, fix: {}, ...part };
  return JSON.stringify({ version: 1, findings: [finding] });
};

/* What `npm run fuzz` found, each in its smallest form. */
const FOUND: readonly (readonly [what: string, target: string, input: unknown])[] = [
  ['a time that no `Date` holds', 'otlp-json', [otlpOf({ startTimeUnixNano: 1e308 }), false, {}]],
  ['messages in one another', 'otlp-protobuf', nested(5000)],
  ['an integer of 200 KB', 'otlp-protobuf', integerOf(200_000)],
  ['a time of three bytes', 'otlp-protobuf', spanOf(field(7, Buffer.alloc(3)))],
  ['an end of an owner that is no time', 'clew-file', recordingOf({ label: 0, endedAt: 'x' })],
  ['nothing in the place of a trace', 'viewer-file', '{"data":[null]}'],
  ['nothing in the place of a tag', 'viewer-file', '{"data":[{"spans":[{"tags":[null]}]}]}'],
  ['a number in the place of rules', 'viewer-file', report({ fix: { rules: 1 } })],
  ['a port that is none', 'headers', headersOf({ host: 'example.com:80808' })],
  ['a name of 300 KB without a value', 'headers', headersOf({ forwarded: 'a'.repeat(300_000) })],
  ['an option by the name of a member', 'rules', ruleOf({ kind: 'args', constructor: 1 })],
  [
    'a module with a long name',
    'rules',
    JSON.stringify({ rules: { ['x'.repeat(9000)]: { '': 0 } } }),
  ],
  ['objects in one another', 'rules', '{"a":'.repeat(20_000)],
];

describe('what fuzzing found', () => {
  for (const [what, name, input] of FOUND) {
    it(`is refused, or read, clearly and soon: ${what}, ${name}`, async () => {
      await assertCpuTime(async () => TARGETS[name]?.check(input));
    });
  }
});
