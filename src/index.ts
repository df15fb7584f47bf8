export { ClewError, type ErrorCode } from './base/errors.ts';
export {
  OperationResource,
  type OperationResourceOptions,
} from './instrumentation/operation-resource.ts';
export { wrap, type Rule, type RuleKind } from './instrumentation/wrap.ts';
