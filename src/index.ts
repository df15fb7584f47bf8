export { ClewError, type ErrorCode } from './base/errors.ts';
export {
  OperationResource,
  type OperationResourceOptions,
} from './instrumentation/operation-resource.ts';
export { getInstrumentations, type InstrumentationOptions } from './instrumentation/index.ts';
export type { ClientConfig } from './instrumentation/client-config.ts';
