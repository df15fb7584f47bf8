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

/** A response is often ended in a richer context than the one where `finish` was listened to. */
const HTTP_LISTENER: RuleData = { kind: 'emitter', type: 'http.listener', when: 'lost' };

/** What outlives its first caller: pooled objects, the loops of workers. */
const ROOT: RuleData = { kind: 'root', leave: 'trace' };

/** `socket.io` calls these for every event; they are removed by identity. */
const ANY_LISTENER: RuleData = {
  kind: 'emitter',
  listener: 0,
  remove: 'offAny',
  list: 'listenersAny',
};
const ANY_OUTGOING_LISTENER: RuleData = {
  ...ANY_LISTENER,
  remove: 'offAnyOutgoing',
  list: 'listenersAnyOutgoing',
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
  'rxjs@>=6 <8': {
    'Observable#subscribe': [
      { kind: 'args', emits: true },
      { kind: 'handler', unless: 'unsubscribe', emits: true },
    ],
  },
  'lodash@>=4 <5': LODASH,
  'lodash/debounce@>=4 <5': { default: 'latest' },
  'lodash/throttle@>=4 <5': { default: 'latest' },
  'lodash.debounce@>=4 <5': { default: 'latest' },
  'lodash.throttle@>=4 <5': { default: 'latest' },
  'generic-pool@>=3 <4': { 'Pool#_createResource': ROOT },
  'tarn@>=3 <4': { 'Pool#_create': ROOT },
  'ws@>=7 <9': {
    'default#': 'emitter',
    'default#send|ping|pong': 'args',
  },
  'undici@>=5 <9': {
    'Client#dispatch': { kind: 'handler', argument: 1 },
    'Pool#dispatch': { kind: 'handler', argument: 1 },
    'BalancedPool#dispatch': { kind: 'handler', argument: 1 },
    'Agent#dispatch': { kind: 'handler', argument: 1 },
  },
  'winston/lib/winston/logger@>=3 <4': {
    'default#write': { kind: 'task', share: 'winston' },
  },
  'winston-transport@>=4 <5': {
    'default#': { kind: 'task', enter: '_write', share: 'winston' },
  },
  'multer/lib/make-middleware@>=1.4.2 <2.5': { 'default()': { kind: 'args', argument: 2 } },
  'socket.io/dist/socket@>=4 <5': {
    'Socket#': 'emitter',
    'Socket#onAny|prependAny': ANY_LISTENER,
    'Socket#onAnyOutgoing|prependAnyOutgoing': ANY_OUTGOING_LISTENER,
    'Socket#registerAckCallback': { kind: 'args', argument: 1 },
  },
  'socket.io-client@>=4 <5': {
    'Socket#': { kind: 'emitter', originalKey: 'fn', list: 'listeners' },
    'Socket#onAny|prependAny': ANY_LISTENER,
    'Socket#onAnyOutgoing|prependAnyOutgoing': ANY_OUTGOING_LISTENER,
    'Socket#_registerAckCallback': { kind: 'args', argument: 1 },
  },
  '@grpc/grpc-js/build/src/client-interceptors@>=1.8 <2': {
    'getInterceptingCall()#start': { kind: 'handler', argument: 1 },
  },
  'bullmq@>=5 <7': { 'Worker#run|startStalledCheckTimer': ROOT },
  'bull@>=4 <5': { 'default#start|_initProcess': ROOT },
  'amqplib/lib/channel@>=0.10 <3': {
    'Channel#_rpc': { kind: 'args', argument: 3 },
    'Channel#pushConfirmCallback': { kind: 'args', argument: 0 },
    'BaseChannel#registerConsumer': { kind: 'args', argument: 1 },
  },
  'mqtt@>=4 <6': {
    'MqttClient#': 'emitter',
    'MqttClient#publish|subscribe|unsubscribe|end': 'args',
  },
  'nats/lib/nats-base-client/nats@>=2 <3': {
    'NatsConnectionImpl#subscribe': { kind: 'handler', argument: 1 },
  },
  '@nats-io/nats-core/lib/nats@>=3 <4': {
    'NatsConnectionImpl#subscribe': { kind: 'handler', argument: 1 },
  },
  // Built-in modules have the version of Node.
  'http2@>=20 <100': {
    'Http2ServerRequest#': HTTP_LISTENER,
    'Http2ServerResponse#': HTTP_LISTENER,
  },
  'kafkajs@>=2 <3': { 'Kafka#consumer()#run': ROOT },
};
