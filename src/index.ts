export { ClewError, type ErrorCode } from './base/errors.ts';
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
