import type { SpanView } from '../../viewer/trace-model.ts';
import { linear } from '../base/scale.ts';
import { useCanvas } from '../base/use-canvas.ts';
import { useSize } from '../base/use-size.ts';
import { BrushBox } from '../overview/latency-scatter.tsx';
import { useBrush } from '../overview/use-brush.ts';
import type { View } from './timeline.tsx';

interface MinimapProps {
  spans: readonly SpanView[];
  duration: number;
  view: View;
  onView: (view: View) => void;
}

const HEIGHT = 40;

/** All spans of the trace, however many; drawing up a part of the time zooms to it. */
export function Minimap({ spans, duration, view, onView }: MinimapProps) {
  const { ref, width } = useSize<HTMLDivElement>();
  const x = linear(0, duration, width);
  const { area, handlers } = useBrush({
    onBrush: ({ left, right }) => onView([x.invert(left), x.invert(right)]),
    onClick: () => onView([0, duration]),
    onHover: () => undefined,
    onLeave: () => undefined,
  });
  const canvas = useCanvas(
    width,
    HEIGHT,
    (context, ink) => {
      const [plain, critical, error] = [ink('dot-unknown'), ink('thread'), ink('error')];
      const line = Math.max(1, Math.min(4, (HEIGHT - 6) / spans.length));
      spans.forEach(({ start, end, status, critical: pieces }, index) => {
        const y = 3 + (index / spans.length) * (HEIGHT - 6);
        context.fillStyle = status.code === 'ERROR' ? error : plain;
        context.fillRect(x(start), y, Math.max(1, x(end) - x(start)), line);
        context.fillStyle = critical;
        for (const [from, to] of pieces) {
          context.fillRect(x(from), y, Math.max(0.5, x(to) - x(from)), line);
        }
      });
    },
    [spans, duration],
  );
  const zoomed = view[0] > 0 || view[1] < duration;
  return (
    <div
      ref={ref}
      class="minimap"
      role="img"
      aria-label="All spans over time. Drag to zoom; the keys z and 0 do so too."
      title="Drag to zoom, click to show all"
      {...handlers}
    >
      <canvas ref={canvas} class="canvas" />
      {(area ?? zoomed) && (
        <BrushBox
          left={area?.left ?? x(view[0])}
          right={area?.right ?? x(view[1])}
          top={0}
          bottom={HEIGHT}
        />
      )}
    </div>
  );
}
