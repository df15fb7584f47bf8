export {
  claim,
  ownerOf,
  patchHotMethod,
  patchMethod,
  patchOnce,
  replaceFunction,
  undoAll,
  type MethodOf,
  type PatchState,
  type Undo,
} from '../base/patch.ts';
