export { ClewError, type ErrorCode } from './base/errors.ts';
export { readDeliveryOptions, type DeliverySettings } from './export/delivery-options.ts';
export { createDelivery, DeliverySpanProcessor } from './export/delivery.ts';
export { installExitHandlers } from './export/exit-handlers.ts';
export type { DeliveryOptions } from './export/options.ts';
export type { DeliveryStats } from './export/stats.ts';
export {
  AsyncHooksContextManager,
  type ContextToken,
} from './context/async-hooks-context-manager.ts';
export type { AsyncHooksContextManagerOptions } from './context/options.ts';
export type { StoreName } from './context/context-store.ts';
export { OperationResource, type OperationResourceOptions } from './carry/operation-resource.ts';
export {
  enableRules,
  RepairSpanProcessor,
  type RuleOptions,
  type RuleSet,
} from './instrumentation/rules/index.ts';
export { wrap, type Rule, type RuleKind } from './instrumentation/wrap.ts';
export {
  getInstrumentation,
  getInstrumentations,
  hookImports,
  setHttpRoute,
  type HttpConfig,
  type HttpClientConfig,
  type HttpServerConfig,
  type ClientConfigs,
  type ClientName,
  type IncomingResponse,
  type LibraryName,
  type OperationConfig,
  type PoolConfig,
  type RedisConfig,
  type SqlConfig,
  type SqlServerConfig,
  type ConsumerSpan,
  type InstrumentationOptions,
  type MessageOperation,
  type MessagingConfig,
  type OutgoingRequest,
  type RequestHead,
} from './instrumentation/index.ts';
export type { ClientConfig } from './instrumentation/client-config.ts';
export type { OtelInstrumentation, StartOptions } from './config.ts';
export {
  createSpanProcessors,
  type SpanProcessors,
  type SpanProcessorsOptions,
} from './span-processors.ts';
export { start, type Clew, type ClewStats } from './start.ts';
export {
  AsyncResourceTracer,
  type AsyncResourceTracerOptions,
  type RequestReport,
  type TracerStats,
} from './tracer/async-resource-tracer.ts';
export type { Split } from './tracer/loop-clock.ts';
export type { ResourceOwner } from './tracer/owner.ts';
export type { AsyncRecord, AsyncTrace, TraceOwner, TracerLevel } from './tracer/record.ts';
export { SplitSpanProcessor } from './tracer/split-span-processor.ts';
export {
  ContextLossDetector,
  type ContextLossDetectorOptions,
  type LossCounts,
} from './diagnosis/detector.ts';
export type { Certainty, Finding, FindingKind, FindingName, Report } from './diagnosis/finding.ts';
export { reportText } from './diagnosis/report-text.ts';
