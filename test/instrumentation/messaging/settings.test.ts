import assert from 'node:assert/strict';

import { getInstrumentations } from '../../../src/instrumentation/index.ts';
import {
  resolveMessagingConfig,
  type MessagingConfig,
} from '../../../src/instrumentation/messaging/messaging-config.ts';
import { readConsumerSpans } from '../../../src/instrumentation/messaging/messaging-settings.ts';

describe('MessagingConfig', () => {
  for (const [name, config] of Object.entries({
    'a boolean that is none': { propagate: 'yes' },
    'a function that is none': { ignore: true },
    'a choice that is none': { consumerSpan: 'parent' },
    'a choice of another type': { consumerSpan: true },
    'a name that is not known': { consumer: 'child' },
  })) {
    it(`rejects ${name}`, () => {
      assert.throws(() => resolveMessagingConfig(config as MessagingConfig), {
        code: 'ERR_OPTION',
      });
    });
  }

  it('has the defaults of the conventions, and cannot be changed', () => {
    const config = resolveMessagingConfig({});
    assert.deepEqual(config, { enabled: true, propagate: true, consumerSpan: 'link' });
    assert.ok(Object.isFrozen(config));
  });

  it('takes what is common to all libraries under what is a library’s own', () => {
    const messaging = getInstrumentations({
      messaging: { consumerSpan: 'root', propagate: false },
      bullmq: { consumerSpan: 'child' },
      bull: { enabled: false },
    });
    const find = (name: string) =>
      messaging.find(({ instrumentationName }) => instrumentationName === `clew/${name}`);
    assert.deepEqual(find('bullmq')?.getConfig(), {
      consumerSpan: 'child',
      propagate: false,
      enabled: false,
    });
    assert.equal(find('bull'), undefined);
  });
});

describe('CLEW_CONSUMER_SPAN', () => {
  const read = (value: string | undefined) =>
    readConsumerSpans({ CLEW_CONSUMER_SPAN: value }, ['bullmq', 'kafkajs']);

  for (const [value, expected] of [
    [undefined, {}],
    ['', {}],
    ['child', { all: 'child' }],
    ['ROOT', { all: 'root' }],
    ['bullmq=child', { bullmq: 'child' }],
    ['root, bullmq = child ,kafkajs=link', { all: 'root', bullmq: 'child', kafkajs: 'link' }],
  ] as const) {
    it(`is read: ${value}`, () => {
      assert.deepEqual(read(value), { consumerSpans: expected, problems: [] });
    });
  }

  for (const value of ['parent', 'bullmq=parent', 'rabbit=child', 'child=bullmq', '=child', ',']) {
    it(`is reported where it is no good, and the default is used: ${value}`, () => {
      const { consumerSpans, problems } = read(value);
      assert.deepEqual(consumerSpans, {});
      assert.ok(problems.length > 0);
      assert.match(
        problems[0]?.message ?? '',
        /CLEW_CONSUMER_SPAN.*one of|CLEW_CONSUMER_SPAN.*link, child, root/,
      );
    });
  }
});
