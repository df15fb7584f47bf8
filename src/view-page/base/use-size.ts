import { signal } from '@preact/signals';
import { useLayoutEffect, useRef, useState } from 'preact/hooks';

/** The element to watch, and its width and height in pixels; 0 until it is laid out. */
export function useSize<T extends HTMLElement>() {
  const ref = useRef<T>(null);
  const [size, setSize] = useState({ width: 0, height: 0 });
  useLayoutEffect(() => {
    const element = ref.current;
    if (!element) return undefined;
    const measure = () =>
      setSize((old) =>
        old.width === element.clientWidth && old.height === element.clientHeight
          ? old
          : { width: element.clientWidth, height: element.clientHeight },
      );
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    return () => observer.disconnect();
  }, []);
  return { ref, ...size };
}

const query = matchMedia('(max-width: 760px)');
/** Whether the window is one of a telephone: rows have two lines there. */
export const narrow = signal(query.matches);
query.addEventListener('change', () => (narrow.value = query.matches));
