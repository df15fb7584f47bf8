import { MESSAGING_CASES } from '../messaging/cases.ts';
import { prepareMessaging } from '../messaging/variants.ts';
import type { BenchmarkGroup } from '../harness/group.ts';

export const group: BenchmarkGroup = {
  description:
    'one message after the other, from its sending to the end of its handler, both in one process, over loopback, in the context of a traced request and with every span recorded: the library bare, with this package, with the package of OpenTelemetry or of the library',
  variants: ['bare', 'clew', 'official'],
  baseline: 'bare',
  mark: 'bench-messaging',
  ours: ['clew'],
  peers: ['official'],
  // Each round waits for brokers: a third of the rounds of other groups takes as long as theirs.
  rounds: 9,
  quick: { cases: ['bullmq add and process'] },
  services: ['redis', 'rabbitmq', 'kafka', 'mqtt', 'nats'],
  cases: MESSAGING_CASES.map((found) => ({
    name: found.name,
    unit: 'us CPU',
    variants: found.hasOfficial ? ['bare', 'clew', 'official'] : ['bare', 'clew'],
    prepare: (variant: string) => prepareMessaging(found, variant),
  })),
};
