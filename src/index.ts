export { ClewError, type ErrorCode } from './base/errors.ts';
export { readDeliveryOptions, type DeliverySettings } from './export/delivery-options.ts';
export { createDelivery, DeliverySpanProcessor } from './export/delivery.ts';
export { installExitHandlers } from './export/exit-handlers.ts';
export type { DeliveryOptions } from './export/options.ts';
export type { DeliveryStats } from './export/stats.ts';
export {
  AsyncHooksContextManager,
  type AsyncHooksContextManagerOptions,
  type ContextToken,
} from './context/async-hooks-context-manager.ts';
export type { StoreName } from './context/context-store.ts';
export {
  OperationResource,
  type OperationResourceOptions,
} from './instrumentation/operation-resource.ts';
export { getInstrumentations, type InstrumentationOptions } from './instrumentation/index.ts';
export type { ClientConfig } from './instrumentation/client-config.ts';
