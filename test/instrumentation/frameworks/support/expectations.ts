import assert from 'node:assert/strict';

import { noteSkipped } from '../../../support/services.ts';
import type { Asked, Report } from './observed.ts';
import { run, type Kind } from './run.ts';
import type { Version } from './subjects.ts';

/** The name of a span, the handler, and what else is to be looked at. */
export type Expected = [
  name: string,
  handler: string | undefined,
  more?: { exceptions?: string[]; inContext?: string[]; status?: number },
];

const askedOf = (asked: string | Asked): Asked =>
  typeof asked === 'string' ? { path: asked } : asked;

/** One test for all rows: a process per row would take minutes. */
export function itNames(
  subject: Version,
  kind: Kind,
  rows: readonly (readonly [string | Asked, Expected])[],
): void {
  it(`are the names of requests, of ${kind}s with ${subject.title}`, async function () {
    skipWhereItEnded(this, subject);
    const { answers } = await run(subject, { kind, asked: rows.map(([asked]) => askedOf(asked)) });
    // A request that is made several times at once has as many answers.
    const each = rows.flatMap((row) =>
      Array.from({ length: askedOf(row[0]).times ?? 1 }, () => row),
    );
    assert.equal(answers.length, each.length);
    const found = each.map(([asked, [, , more = {}]], index) => {
      const { method = 'GET', path } = askedOf(asked);
      const answer = answers[index];
      return {
        asked: `${method} ${path}`,
        name: answer?.span?.name,
        route: answer?.span?.route,
        handler: answer?.span?.handler,
        exceptions: answer?.span?.exceptions,
        spans: answer?.serverSpans,
        astray: answer?.astray,
        ...(more.inContext && { inContext: answer?.inContext }),
        ...(more.status && { status: answer?.status }),
      };
    });
    const expected = each.map(([asked, [name, handler, more = {}]]) => {
      const { method = 'GET', path } = askedOf(asked);
      return {
        asked: `${method} ${path}`,
        name,
        route: name.includes(' ') ? name.slice(name.indexOf(' ') + 1) : undefined,
        handler,
        exceptions: more.exceptions ?? [],
        spans: 1,
        astray: [],
        ...(more.inContext && { inContext: more.inContext }),
        ...(more.status && { status: more.status }),
      };
    });
    assert.deepEqual(found, expected);
  });
}

/** The answers to the same requests, and what the application sees of itself, with clew and without. */
export function itBehavesAsBare(subject: Version, rows: readonly (string | Asked)[]): void {
  it(`leaves the application as it is, with ${subject.title}`, async function () {
    skipWhereItEnded(this, subject);
    const asked = rows.map(askedOf);
    const bare = await run(subject, { asked, isBare: true });
    const observed = await run(subject, { asked });
    assert.deepEqual(seen(observed), seen(bare));
  });
}

function skipWhereItEnded(test: Mocha.Context, { title, endsAt = Infinity }: Version): void {
  const [major = 0] = process.versions.node.split('.').map(Number);
  if (major < endsAt) return;
  noteSkipped(`${title}: it does not load on Node ${endsAt} and later, without clew either`);
  test.skip();
}

function seen({ answers, looks }: Report): unknown {
  return {
    answers: answers.map(({ status, body, headers }) => ({
      status,
      body: withoutStack(body),
      headers,
    })),
    looks,
  };
}

/** An error page of a framework's shows a stack, in which are our files. */
function withoutStack(body: string): string {
  return body.replaceAll(/(?:<br>|\n)\s*(?:&nbsp;|\s)*at .*/g, '');
}

/** The last of `versions` without the instrumentations that are called `names`. */
export function itIsSwitchedOff(versions: readonly Version[], names: string, path: string): void {
  const subject = versions.at(-1);
  assert.ok(subject);
  it(`are not shown where ${names} is switched off`, async () => {
    const { answers } = await run(subject, {
      asked: [{ path }],
      env: { OTEL_NODE_DISABLED_INSTRUMENTATIONS: names },
    });
    assert.deepEqual([answers[0]?.span?.name, answers[0]?.span?.handler], ['GET', undefined]);
  });
}
