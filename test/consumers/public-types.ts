import { context, ROOT_CONTEXT } from '@opentelemetry/api';

import {
  AsyncHooksContextManager,
  ClewError,
  ContextLossDetector,
  createDelivery,
  createSpanProcessors,
  type enableRules,
  getInstrumentation,
  getInstrumentations,
  type hookImports,
  type installExitHandlers,
  OperationResource,
  readDeliveryOptions,
  type reportText,
  setHttpRoute,
  start,
  wrap,
  type AsyncResourceTracer,
  type Clew,
  type ClientConfigs,
  type ClewStats,
  type DeliveryOptions,
  type DeliverySpanProcessor,
  type ErrorCode,
  type FindingKind,
  type OtelInstrumentation,
  type Report,
  type StartOptions,
} from '../../src/index.ts';
import { traceTest, type TestTrace } from '../../src/testing/index.ts';

/*
 * The types that users meet, in code that is compiled and never run: by every build from the sources,
 * and by main.ts as a user's project compiles it, from the packed declarations.
 */

type Equal<A, B> =
  (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
const is = <_Holds extends true>(): void => undefined;

const options: StartOptions = { serviceName: 'shop', instrumentations: getInstrumentations() };
const clew = start(options);
is<Equal<typeof clew, Clew>>();
is<Equal<ReturnType<Clew['stats']>, ClewStats | undefined>>();
is<Equal<ReturnType<Clew['shutdown']>, Promise<void>>>();
is<Equal<Clew['problems'], readonly string[]>>();
is<Equal<Clew['tracer'], AsyncResourceTracer | undefined>>();
clew.addSpanProcessor(createDelivery({ url: 'http://localhost:4318/v1/traces' }))();
// @ts-expect-error: an option that there is not
start({ service: 'shop' });
// @ts-expect-error: a level that there is not
start({ logLevel: 'loud' });
start({
  http: { incoming: { ignore: ({ method, url }) => method === 'GET' && url === '/health' } },
});

const manager = new AsyncHooksContextManager({ causality: 'execution', listeners: 'registration' });
context.setGlobalContextManager(manager.enable());
const sum = (a: number, b: number): number => a + b;
const seven = manager.with(ROOT_CONTEXT, sum, undefined, 3, 4);
is<Equal<typeof seven, number>>();
const bound = manager.bind(ROOT_CONTEXT, sum);
is<Equal<typeof bound, typeof sum>>();
// @ts-expect-error: a store that there is not
export const broken: AsyncHooksContextManager = new AsyncHooksContextManager({ store: 'memory' });

const unit = new OperationResource('JOB', { description: 'a job' });
const product = unit.run((a: number, b: string) => `${a}${b}`, undefined, 1, 'x');
is<Equal<typeof product, string>>();
// @ts-expect-error: an argument is missing
unit.run((a: number) => a, undefined);

const undo = wrap({ take: () => undefined }, { kind: 'args', method: 'take', module: 'pool' });
is<Equal<typeof undo, () => void>>();
// @ts-expect-error: a kind that there is not
wrap({}, { kind: 'magic', method: 'take', module: 'pool' });
is<Equal<ReturnType<typeof enableRules>, () => void>>();
is<Equal<ReturnType<typeof hookImports>, () => void>>();

const instrumentations: readonly OtelInstrumentation[] = getInstrumentations({
  all: { maxTextLength: 0 },
  pg: { sqlCommenter: true },
});
// @ts-expect-error: a client that there is not
getInstrumentations({ oracle: {} });
// @ts-expect-error: an option of another client
getInstrumentations({ mongodb: { acquireSpans: true } });
export const one: OtelInstrumentation = getInstrumentation('redis', { streamContext: true });
// @ts-expect-error: an option of another client
getInstrumentation('redis', { sqlCommenter: true });
export const ofPg: ClientConfigs['pg'] = { acquireSpans: true };

const { spanProcessors, delivery: last } = createSpanProcessors({
  url: 'http://localhost/v1/traces',
});
is<Equal<typeof last, DeliverySpanProcessor>>();
clew.addSpanProcessor(spanProcessors[0]!)();

const delivery = createDelivery();
is<Equal<typeof delivery, DeliverySpanProcessor>>();
is<Equal<ReturnType<typeof installExitHandlers>, () => void>>();
const read: DeliveryOptions = readDeliveryOptions(process.env).options;

const report = new ContextLossDetector({ staleMillis: 10 }).start().report();
is<Equal<typeof report, Report>>();
is<Equal<ReturnType<typeof reportText>, string>>();
const kinds: Record<FindingKind, string> = {
  lost: 'none was active',
  mixed: 'another one was',
  stale: 'it had ended',
  batched: 'it served several',
  inactive: 'it was never active',
  setup: 'there are no spans',
};
const code = (error: unknown): ErrorCode | undefined =>
  error instanceof ClewError ? error.code : undefined;

const trace = traceTest('load', async () => 7);
is<Equal<typeof trace, Promise<TestTrace<number>>>>();
void trace.then((found) => found.hasOneRoot().hasAtMostQueries(2).result.toFixed());

export { code, instrumentations, kinds, read, setHttpRoute };
