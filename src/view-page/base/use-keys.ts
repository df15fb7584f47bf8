import { useLayoutEffect, useRef } from 'preact/hooks';

/** What a key does, by `KeyboardEvent.key`. */
export type Keys = Record<string, (event: KeyboardEvent) => void>;

/** Handlers of the components that are shown, the innermost last: it is asked first. */
const shown: { current: Keys }[] = [];

addEventListener('keydown', (event) => {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
  // A dialog has keys of its own.
  if (document.querySelector('dialog[open]')) return;
  const target = event.target instanceof HTMLElement ? event.target : undefined;
  const typing = target?.matches('input, select, textarea') === true;
  if (typing && event.key !== 'Escape') return;
  // What has the focus and a meaning of its own for this key keeps it.
  if (event.key === 'Enter' && target?.matches('button, a, summary') === true) return;
  for (const keys of shown.toReversed()) {
    const act = keys.current[event.key];
    if (!act) continue;
    event.preventDefault();
    act(event);
    return;
  }
});

export function useKeys(keys: Keys): void {
  const ref = useRef(keys);
  ref.current = keys;
  // Before the component is painted: a key may be pressed as soon as it is seen.
  useLayoutEffect(() => {
    shown.push(ref);
    return () => void shown.splice(shown.indexOf(ref), 1);
  }, []);
}
