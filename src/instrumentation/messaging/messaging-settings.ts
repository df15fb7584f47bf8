import { optionError, type ClewError } from '../../base/errors.ts';
import { SettingsReader, type Environment } from '../../base/settings-reader.ts';
import { CONSUMER_SPANS, type ConsumerSpan } from './messaging-config.ts';

/** Messages between threads and processes, which no library has. */
const THREADS = 'worker_threads';

/** What the span of a consumer is, by the names of libraries; `all` for those that are not named. */
export type ConsumerSpans = Readonly<Partial<Record<string, ConsumerSpan>>>;

/**
 * Reads `CLEW_CONSUMER_SPAN`: `child` for every library, or a list such as `bullmq=child,kafkajs=root`.
 * A bad part becomes one of `problems`, and the default is used for it.
 */
export function readConsumerSpans(
  env: Environment,
  libraries: readonly string[],
): { consumerSpans: ConsumerSpans; problems: ClewError[] } {
  const variable = 'CLEW_CONSUMER_SPAN';
  const reader = new SettingsReader(env);
  const consumerSpans: Partial<Record<string, ConsumerSpan>> = {};
  for (const part of reader.text(variable)?.toLowerCase().split(',') ?? []) {
    const [first = '', second] = part.split('=').map((each) => each.trim());
    const [library, choice] = second === undefined ? ['all', first] : [first, second];
    const isKnown = ['all', THREADS].includes(library) || libraries.includes(library);
    if (isKnown && (CONSUMER_SPANS as readonly string[]).includes(choice)) {
      consumerSpans[library] = choice as ConsumerSpan;
    } else {
      const expected = `${CONSUMER_SPANS.join(', ')}, or a list such as bullmq=child of ${[...libraries, THREADS].join(', ')}`;
      reader.problems.push(optionError(variable, expected, part));
    }
  }
  return { consumerSpans, problems: reader.problems };
}
