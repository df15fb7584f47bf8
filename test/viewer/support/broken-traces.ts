import type { TestSpan } from './spans.ts';

/** Traces that senders get wrong, each of another kind. */
export const BROKEN_TRACES: readonly { title: string; spans: TestSpan[] }[] = [
  {
    title: 'nothing wrong',
    spans: [
      { id: '1', name: 'GET /' },
      { id: '2', parent: '1', name: 'SELECT', start: 1, end: 5 },
      { id: '3', parent: '2', name: 'inner', kind: 1, start: 2, end: 3 },
    ],
  },
  {
    title: 'a parent that never came',
    spans: [{ id: '1' }, { id: '2', parent: 'dead' }, { id: '3', parent: '2', start: 1, end: 2 }],
  },
  {
    title: 'no root at all',
    spans: [
      { id: '2', parent: 'dead' },
      { id: '3', parent: 'beef', start: 1, end: 2 },
    ],
  },
  {
    title: 'parents in a circle',
    spans: [{ id: '1' }, { id: '2', parent: '3' }, { id: '3', parent: '2', start: 1 }],
  },
  {
    title: 'a span that is its own parent',
    spans: [{ id: '1' }, { id: '2', parent: '2', start: 1 }],
  },
  {
    title: 'one id twice, with other content',
    spans: [
      { id: '1', name: 'GET /' },
      { id: '2', parent: '1', name: 'first', start: 1, end: 2 },
      { id: '2', parent: '1', name: 'second', start: 3, end: 4 },
    ],
  },
  {
    title: 'the very same span twice',
    spans: [
      { id: '1', name: 'GET /' },
      { id: '2', parent: '1', start: 1, end: 2 },
      { id: '2', parent: '1', start: 1, end: 2 },
    ],
  },
  {
    title: 'a child before its parent, on unknown hosts',
    spans: [
      { id: '1', host: undefined, start: 100, end: 110 },
      { id: '2', parent: '1', host: undefined, start: 90, end: 95 },
      { id: '3', parent: '2', host: undefined, start: 91, end: 92 },
    ],
  },
  {
    title: 'a child after its parent, and a longer one that began before it, on another host',
    spans: [
      { id: '1', host: 'one', start: 100, end: 110 },
      { id: '2', parent: '1', host: 'two', start: 108, end: 112.25 },
      { id: '3', parent: '1', host: 'two', start: 50, end: 170 },
      { id: '4', parent: '3', host: 'two', start: 40, end: 45 },
      { id: '5', parent: '1', host: 'one', start: 200, end: 201 },
    ],
  },
  {
    title: 'ends that are before the start, or at it',
    spans: [
      { id: '1', end: 20 },
      { id: '2', parent: '1', start: 5, end: 3 },
      { id: '3', parent: '1', start: 6, end: 6 },
      { id: '4', parent: '1', start: 7, end: 7.0005 },
    ],
  },
  {
    title: 'a client and a server that share their id',
    spans: [
      { id: '1', name: 'root', service: 'web', end: 30 },
      { id: '2', parent: '1', name: 'call', kind: 3, service: 'web', start: 1, end: 20 },
      { id: '2', parent: '1', name: 'served', kind: 2, service: 'api', start: 2, end: 19 },
      { id: '3', parent: '2', name: 'query', kind: 3, service: 'api', start: 3, end: 18 },
    ],
  },
  {
    title: 'two roots, errors, events, links and values of every type',
    spans: [
      {
        id: '1',
        failed: 'it broke',
        attributes: { text: '<b>&', whole: 7, part: 0.5, yes: true, list: ['a', 'b'] },
        events: [
          { name: 'second', at: 2, attributes: { z: 'z', a: 1 } },
          { name: 'exception', at: 1, attributes: { 'exception.message': 'no' } },
        ],
        links: [{ trace: 'abc', span: '77' }],
      },
      { id: '2', kind: 4, start: 1, links: [{ trace: 'e1b', span: '1' }] },
    ],
  },
].map(({ title, spans }, index) => ({
  title,
  spans: (spans as TestSpan[]).map((span) => ({
    trace: `c0ffee0000000000000000e${index.toString(16)}0`,
    ...span,
  })),
}));
