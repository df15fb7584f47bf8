import type { RuleData, RuleSet } from './rule-set.ts';

/** `async`: what is pushed reaches the worker, whose callers may share a batch (`cargo`). */
const ASYNC_QUEUE: RuleData = {
  kind: 'task',
  front: ['unshift', 'unshiftAsync'],
  forget: ['kill', 'remove'],
  spread: true,
};
const ASYNC_CARGO: RuleData = { ...ASYNC_QUEUE, batch: true };
/** The tasks of a graph, in an object or a list. */
const ASYNC_AUTO: RuleData = { kind: 'handler', argument: 0 };

const FASTQ: RuleData = {
  kind: 'task',
  worker: 0,
  front: 'unshift',
  forget: ['kill', 'killAndDrain', 'abort'],
};

const LODASH = { debounce: 'latest', throttle: 'latest' } as const;

/**
 * The libraries this package knows. A version outside the range is left alone, and so is a target
 * that a version does not have.
 */
export const BUILT_IN_RULES: RuleSet = {
  'async@>=2.6 <4': {
    'queue()#push|pushAsync': ASYNC_QUEUE,
    'priorityQueue()#push|pushAsync': { ...ASYNC_QUEUE, front: [] },
    'cargo()#push|pushAsync': ASYNC_CARGO,
    'cargoQueue()#push|pushAsync': ASYNC_CARGO,
    auto: ASYNC_AUTO,
  },
  'fastq@>=1.6 <2': { 'default()#push': FASTQ, 'default.promise()#push': FASTQ },
  'p-limit@>=3 <8': { 'default()': { kind: 'args', argument: 0 } },
  'p-queue@>=6 <10': { 'default#add': { kind: 'args', argument: 0 } },
  'bluebird@>=3.7 <4': {
    'default.config': {
      kind: 'config',
      arguments: [{ asyncHooks: true }],
      undoArguments: [{ asyncHooks: false }],
    },
  },
  'rxjs@>=6 <8': { 'Observable#subscribe': ['args', { kind: 'handler', unless: 'unsubscribe' }] },
  'lodash@>=4 <5': LODASH,
  'lodash/debounce@>=4 <5': { default: 'latest' },
  'lodash/throttle@>=4 <5': { default: 'latest' },
  'lodash.debounce@>=4 <5': { default: 'latest' },
  'lodash.throttle@>=4 <5': { default: 'latest' },
};
