import { AssertionError } from 'node:assert';

import {
  isExpected,
  matchesText,
  relevant,
  show,
  type ExpectedSpan,
  type Name,
} from './expected-span.ts';
import { checkCount, checkList, toExpected } from './check-expected.ts';
import { renderSpans } from './render-spans.ts';
import { groupSpans, isQuery, queryOf, type TestSpan } from './test-span.ts';

/** The scope of the span that `traceTest` starts for work with a name. */
export const OWN_SCOPE = 'clew/testing';

const HINT =
  'The work has no spans. Libraries that were loaded before `clew/testing` have none: ' +
  'load it first (`--import clew/testing`). Nor have libraries that clew does not know, those of ' +
  'OTEL_NODE_DISABLED_INSTRUMENTATIONS, and clients of caches and queues outside of a span: ' +
  'traceTest(name, work) makes one.';

type Assertion = Extract<keyof TestTrace, `has${string}`>;

/**
 * The spans of a piece of work, and assertions about them. An assertion returns the trace, so that
 * calls can be chained, or throws an `AssertionError` whose message ends with the spans as a tree.
 */
export class TestTrace<T = unknown> {
  /** The result of the work. */
  readonly result: T;
  /** All spans in the order of their start. */
  readonly spans: readonly TestSpan[];
  readonly #byId: ReadonlyMap<string, TestSpan>;
  readonly #isBlind: boolean;

  /** `isBlind`: no span has reached the collector in this process so far. @internal */
  constructor(result: T, spans: readonly TestSpan[], isBlind: boolean) {
    this.result = result;
    this.spans = spans;
    this.#isBlind = isBlind;
    this.#byId = new Map(spans.map((span) => [span.spanId, span]));
  }

  /** Spans without a parent, and those whose parent is in another process. */
  get roots(): TestSpan[] {
    return this.spans.filter(({ parentSpanId: parent, hasRemoteParent }) => {
      return parent === undefined || (hasRemoteParent && !this.#byId.has(parent));
    });
  }

  /** Spans whose parent is in this process but was not collected. */
  get orphans(): TestSpan[] {
    return this.spans.filter(({ parentSpanId: parent, hasRemoteParent }) => {
      return parent !== undefined && !hasRemoteParent && !this.#byId.has(parent);
    });
  }

  /** Queries, commands and batches of database clients. */
  get queries(): TestSpan[] {
    return this.spans.filter(isQuery);
  }

  /** Returns the first span that matches. */
  find(expected: Name | ExpectedSpan): TestSpan | undefined {
    const wanted = toExpected(expected);
    return this.spans.find((span) => this.#matches(span, wanted));
  }

  /**
   * Returns the spans as a tree of names, durations, states and lines, as a failed assertion shows
   * it.
   */
  toString(): string {
    return renderSpans(this.spans);
  }

  /** Asserts that one span has no parent and all others descend from it. */
  hasOneRoot(name?: Name): this {
    this.#see('hasOneRoot');
    const { roots } = this;
    const [root] = roots;
    if (roots.length !== 1) {
      const names = roots.map((span) => `\`${span.name}\`${at(span)}`).join(', ');
      this.#fail(`Expected one root, found ${roots.length}${names && `: ${names}`}`, 'hasOneRoot');
    }
    this.hasNoOrphans();
    if (root && name !== undefined && !matchesText(root.name, name)) {
      this.#fail(`Expected the root ${show(name)}, found \`${root.name}\``, 'hasOneRoot');
    }
    return this;
  }

  /** Asserts that the parent of each span was collected, too. */
  hasNoOrphans(): this {
    this.#see('hasNoOrphans');
    const [orphan] = this.orphans;
    if (orphan) {
      this.#fail(`The parent of \`${orphan.name}\`${at(orphan)} is missing`, 'hasNoOrphans');
    }
    return this;
  }

  /** Asserts that every span has ended. */
  hasNoOpenSpans(): this {
    this.#see('hasNoOpenSpans');
    const open = this.spans.find(({ duration }) => duration === undefined);
    if (open) this.#fail(`\`${open.name}\`${at(open)} has not ended`, 'hasNoOpenSpans');
    return this;
  }

  /** Asserts that no span has failed. */
  hasNoErrors(): this {
    this.#see('hasNoErrors');
    const failed = this.spans.find(({ status }) => status === 'error');
    if (failed) {
      const reason = failed.statusMessage ?? failed.attributes['error.type'];
      this.#fail(
        `\`${failed.name}\`${at(failed)} failed${reason === undefined ? '' : `: ${String(reason)}`}`,
        'hasNoErrors',
      );
    }
    return this;
  }

  /** Asserts that at most `limit` queries were sent to databases. */
  hasAtMostQueries(limit: number): this {
    checkCount('limit', limit);
    this.#see('hasAtMostQueries');
    const { length } = this.queries;
    if (length > limit) {
      this.#fail(`Expected at most ${limit} queries, found ${length}`, 'hasAtMostQueries');
    }
    return this;
  }

  /**
   * Asserts that no query ran more than `times` times, whatever its values. Loading a list with one
   * query and each of its rows with another (N+1) fails, and the message names the line.
   */
  hasNoRepeatedQuery(times = 1): this {
    checkCount('times', times);
    this.#see('hasNoRepeatedQuery');
    const groups = groupSpans(this.queries, queryOf);
    for (const [query, group] of groups) {
      if (group.length <= times) continue;
      const line = group.find((span) => span.line !== undefined)?.line;
      const where = line === undefined ? '' : ` at ${line}`;
      this.#fail(
        `Expected no query more than ${times === 1 ? 'once' : `${times} times`}, ` +
          `found ${group.length} times${where}: ${query}`,
        'hasNoRepeatedQuery',
      );
    }
    return this;
  }

  /** Asserts that a span matches. */
  hasSpan(expected: Name | ExpectedSpan): this {
    this.#see('hasSpan');
    if (this.find(expected) !== undefined) return this;
    const wanted = toExpected(expected);
    const near = this.spans.find(({ name }) => wanted.name && matchesText(name, wanted.name));
    const found = near ? `\nThe span \`${near.name}\` is ${show(relevant(near, wanted))}` : '';
    return this.#fail(`Expected a span ${show(expected)}${found}`, 'hasSpan');
  }

  /** Asserts that no span matches. */
  hasNoSpan(expected: Name | ExpectedSpan): this {
    this.#see('hasNoSpan');
    const found = this.find(expected);
    if (!found) return this;
    const text = `Expected no span ${show(expected)}, found \`${found.name}\`${at(found)}`;
    return this.#fail(text, 'hasNoSpan');
  }

  /** Asserts that matching spans started in this order; others may start between them. */
  hasSpansInOrder(expected: readonly (Name | ExpectedSpan)[]): this {
    checkList('expected', expected);
    this.#see('hasSpansInOrder');
    let from = 0;
    for (const [index, each] of expected.entries()) {
      const wanted = toExpected(each);
      const next = this.spans.findIndex((span, at) => at >= from && this.#matches(span, wanted));
      if (next === -1) {
        const before = index === 0 ? '' : `, after ${show(expected[index - 1])}`;
        const message = `Expected spans in this order: ${expected.map(show).join(', ')}. There is no`;
        this.#fail(`${message} ${show(each)}${before}`, 'hasSpansInOrder');
      }
      from = next + 1;
    }
    return this;
  }

  /** Without a single span any assertion might pass for the wrong reason. */
  #see(assertion: Assertion): void {
    if (!this.#isBlind) return;
    this.#fail(
      'No span was ever collected in this process. Load `clew/testing` before the libraries and ' +
        'any other tracer (`--import clew/testing`), or give your provider its `spanCollector`; ' +
        'OTEL_SDK_DISABLED and the sampler must allow spans',
      assertion,
    );
  }

  #matches(span: TestSpan, expected: ExpectedSpan): boolean {
    const parent = span.parentSpanId === undefined ? undefined : this.#byId.get(span.parentSpanId);
    return isExpected(span, parent, expected);
  }

  #fail(message: string, assertion: Assertion): never {
    // An empty trace is rarely due to the expectation; the message lists other possible causes.
    const isEmpty = !this.#isBlind && this.spans.every(({ scope }) => scope === OWN_SCOPE);
    throw new AssertionError({
      message: `${message}\n\n${this.toString()}${isEmpty ? `\n\n${HINT}` : ''}`,
      // For any other operator, jest would print values, which do not exist here.
      operator: 'fail',
      stackStartFn: this[assertion],
    });
  }
}

function at({ line }: TestSpan): string {
  return line === undefined ? '' : ` (${line})`;
}
