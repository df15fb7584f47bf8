import { useLayoutEffect, useRef } from 'preact/hooks';

import { theme } from './theme.ts';

/** The page's colours by their names in the style sheet (`running`, `error`). */
export type Ink = (name: string) => string;

/**
 * A canvas of that many CSS pixels, sharp on every screen, drawn again when `inputs`, its size or
 * the theme change.
 */
export function useCanvas(
  width: number,
  height: number,
  draw: (context: CanvasRenderingContext2D, ink: Ink) => void,
  inputs: readonly unknown[],
) {
  const ref = useRef<HTMLCanvasElement>(null);
  const shownTheme = theme.value;
  useLayoutEffect(() => {
    const canvas = ref.current;
    const context = canvas?.getContext('2d');
    if (!canvas || !context || width <= 0 || height <= 0) return;
    const ratio = globalThis.devicePixelRatio || 1;
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(height * ratio);
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, width, height);
    const style = getComputedStyle(document.documentElement);
    draw(context, (name) => style.getPropertyValue(`--${name}`).trim());
  }, [width, height, shownTheme, ...inputs]);
  return ref;
}
