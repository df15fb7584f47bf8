export { ClewError, type ErrorCode } from './base/errors.ts';
export { createDelivery, DeliverySpanProcessor } from './export/delivery.ts';
export { installExitHandlers } from './export/exit-handlers.ts';
export type { DeliveryOptions } from './export/options.ts';
export type { DeliveryStats } from './export/stats.ts';
export {
  OperationResource,
  type OperationResourceOptions,
} from './instrumentation/operation-resource.ts';
