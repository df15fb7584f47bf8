import { useRef, useState } from 'preact/hooks';

export interface Area {
  left: number;
  top: number;
  right: number;
  bottom: number;
}

interface BrushOptions {
  /** The pointer went from one corner to the other; in pixels of the element. */
  onBrush: (area: Area) => void;
  /** It stayed where it was. */
  onClick: (x: number, y: number) => void;
  onHover: (x: number, y: number) => void;
  onLeave: () => void;
}

/** Less than this is a click by a hand that is not quite still. */
const STILL = 4;

/** Handlers for an element in which an area is drawn up, and the area while it is. */
export function useBrush(options: BrushOptions) {
  const start = useRef<{ x: number; y: number } | undefined>(undefined);
  const [area, setArea] = useState<Area | undefined>();
  const at = (event: PointerEvent) => {
    const box = (event.currentTarget as HTMLElement).getBoundingClientRect();
    return {
      x: Math.max(0, Math.min(box.width, event.clientX - box.left)),
      y: Math.max(0, Math.min(box.height, event.clientY - box.top)),
    };
  };
  const between = (a: { x: number; y: number }, b: { x: number; y: number }): Area => ({
    left: Math.min(a.x, b.x),
    right: Math.max(a.x, b.x),
    top: Math.min(a.y, b.y),
    bottom: Math.max(a.y, b.y),
  });
  const isStill = ({ left, right, top, bottom }: Area) =>
    right - left < STILL && bottom - top < STILL;
  return {
    area: area && !isStill(area) ? area : undefined,
    handlers: {
      onPointerDown: (event: PointerEvent) => {
        if (event.button !== 0) return;
        start.current = at(event);
        (event.currentTarget as HTMLElement).setPointerCapture(event.pointerId);
      },
      onPointerMove: (event: PointerEvent) => {
        const here = at(event);
        if (start.current) setArea(between(start.current, here));
        else options.onHover(here.x, here.y);
      },
      onPointerUp: (event: PointerEvent) => {
        if (!start.current) return;
        const here = at(event);
        const drawn = between(start.current, here);
        start.current = undefined;
        setArea(undefined);
        if (isStill(drawn)) options.onClick(here.x, here.y);
        else options.onBrush(drawn);
      },
      onPointerCancel: () => {
        start.current = undefined;
        setArea(undefined);
      },
      onPointerLeave: () => options.onLeave(),
    },
  };
}
