import { frameAccess } from '../async/context-frame.ts';
import { hasAsyncContextFrame } from '../async/runtime.ts';
import { environment } from '../base/environment.ts';
import { optionError } from '../base/errors.ts';
import { sayOnce } from '../base/log.ts';
import type { ContextStore, StoreName, StoreSettings } from './context-store.ts';
import { FrameStore } from './frame-store.ts';
import { HookStore } from './hook-store.ts';
import { StorageStore } from './storage-store.ts';

const NAMES: readonly StoreName[] = ['hook', 'frame', 'storage'];

/**
 * Returns the best store for this Node: `frame` where Node propagates contexts by frames, otherwise
 * `hook`. An option or `CLEW_CONTEXT_STORE` selects another one.
 */
export function chooseStore(option: StoreName | undefined, settings: StoreSettings): ContextStore {
  const asked = option ?? storeFromEnvironment();
  if (asked === 'hook') return new HookStore(settings);
  if (asked === 'storage') return new StorageStore(settings);
  if (asked === undefined && !hasAsyncContextFrame) return new HookStore(settings);
  if (frameAccess !== undefined) return new FrameStore(settings);
  if (asked === 'frame') {
    sayOnce(
      'warn',
      'context-store:frame',
      'the `frame` context store does not work on this Node; `storage` is used instead.',
    );
  }
  return new StorageStore(settings);
}

function storeFromEnvironment(): StoreName | undefined {
  const value = environment()['CLEW_CONTEXT_STORE'];
  if (value === undefined || value === '') return undefined;
  if (NAMES.includes(value as StoreName)) return value as StoreName;
  sayOnce(
    'warn',
    'context-store',
    optionError('CLEW_CONTEXT_STORE', `one of ${NAMES.join(', ')}`, value).message,
  );
  return undefined;
}
