import { amqplib } from './amqplib/index.ts';
import { bull } from './bull/index.ts';
import { bullmq } from './bullmq/index.ts';
import { kafkajs } from './kafkajs/index.ts';
import type { MessagingDefinition } from './messaging-definition.ts';
import { mqtt } from './mqtt/index.ts';
import { nats } from './nats/index.ts';

/** The messaging libraries by their names in configuration. */
export type MessagingName = 'bullmq' | 'bull' | 'amqplib' | 'kafkajs' | 'mqtt' | 'nats';

/** Every messaging library, in the order of the documentation. */
export const MESSAGING: Readonly<Record<MessagingName, MessagingDefinition>> = {
  bullmq,
  bull,
  amqplib,
  kafkajs,
  mqtt,
  nats,
};

export const MESSAGING_NAMES = Object.keys(MESSAGING) as readonly MessagingName[];

/** The packages whose callers are kept by the instrumentations of `isEnabled`, in place of repair rules. */
export function keptWithoutRules(isEnabled: (instrumentationName: string) => boolean): string[] {
  return Object.values(MESSAGING)
    .filter(({ name }) => isEnabled(`clew/${name}`))
    .flatMap(({ inPlaceOfRules = [] }) => inPlaceOfRules);
}
