import { createFrameAccess } from '../async/context-frame.ts';
import { hasAsyncContextFrame } from '../async/runtime.ts';
import { optionError } from '../base/errors.ts';
import { sayOnce } from '../base/log.ts';
import type { ContextStore, StoreName } from './context-store.ts';
import { FrameStore } from './frame-store.ts';
import { HookStore } from './hook-store.ts';
import { StorageStore } from './storage-store.ts';

const NAMES: readonly StoreName[] = ['hook', 'frame', 'storage'];

/**
 * The best store of this Node: the frame where Node propagates by frames, else the hook. An option
 * or `CLEW_CONTEXT_STORE` asks for another one.
 */
export function chooseStore(option: StoreName | undefined): ContextStore {
  if (option !== undefined && !NAMES.includes(option)) {
    throw optionError('store', `one of ${NAMES.join(', ')}`, option);
  }
  const asked = option ?? storeFromEnvironment();
  if (asked === 'hook') return new HookStore();
  if (asked === 'storage') return new StorageStore();
  if (asked === undefined && !hasAsyncContextFrame) return new HookStore();
  const frames = createFrameAccess();
  if (frames !== undefined) return new FrameStore(frames);
  if (asked === 'frame') {
    sayOnce(
      'warn',
      'context-store:frame',
      'the `frame` context store does not work on this Node; `storage` is used instead.',
    );
  }
  return new StorageStore();
}

function storeFromEnvironment(): StoreName | undefined {
  const value = process.env['CLEW_CONTEXT_STORE'];
  if (value === undefined || value === '') return undefined;
  if (NAMES.includes(value as StoreName)) return value as StoreName;
  sayOnce(
    'warn',
    'context-store',
    `CLEW_CONTEXT_STORE has to be one of ${NAMES.join(', ')}; it is ignored.`,
  );
  return undefined;
}
