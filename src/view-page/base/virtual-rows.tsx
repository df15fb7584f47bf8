import type { ComponentChildren } from 'preact';
import { useLayoutEffect, useRef, useState } from 'preact/hooks';

import { useSize } from './use-size.ts';

interface VirtualRowsProps {
  count: number;
  rowHeight: number;
  /** The row that stays in sight when it changes. */
  current?: number;
  class?: string;
  renderRow: (index: number) => ComponentChildren;
  /** Drawn over the rows `from` to `to`, in an element that begins at the first row's top. */
  overlay?: (from: number, to: number) => ComponentChildren;
  onNearEnd?: () => void;
  onScroll?: (top: number) => void;
  /** Rows that were put before the first since the last time: the view stays where it was. */
  inserted?: { count: number };
  // Of the element that scrolls.
  role?: 'presentation' | 'rowgroup';
}

/** Rows beyond the window that are rendered too, so that a fast wheel meets no blank. */
const OVERSCAN = 8;

/** A list of which only what is in the window is in the document. All rows have one height. */
export function VirtualRows(props: VirtualRowsProps) {
  const { count, rowHeight, current, renderRow, overlay } = props;
  const { ref, height } = useSize<HTMLDivElement>();
  const [top, setTop] = useState(0);
  const first = Math.floor(top / rowHeight);
  const from = Math.max(0, Math.min(first, count) - OVERSCAN);
  const to = Math.min(count, first + Math.ceil(height / rowHeight) + OVERSCAN);

  const nearEnd = count > 0 && to >= count;
  const { onNearEnd, inserted } = props;
  useLayoutEffect(() => {
    if (nearEnd) onNearEnd?.();
  }, [nearEnd, count]);

  useLayoutEffect(() => {
    if (inserted && inserted.count > 0 && ref.current && ref.current.scrollTop > 0) {
      ref.current.scrollTop += inserted.count * rowHeight;
    }
  }, [inserted]);

  const shown = useRef(current);
  useLayoutEffect(() => {
    const element = ref.current;
    if (!element || current === undefined || current < 0 || height === 0) return;
    if (shown.current === current && element.dataset['shown'] === '1') return;
    shown.current = current;
    element.dataset['shown'] = '1';
    const y = current * rowHeight;
    if (y < element.scrollTop) element.scrollTop = y;
    else if (y + rowHeight > element.scrollTop + height) {
      element.scrollTop = y + rowHeight - height;
    }
  }, [current, height]);

  const rows: ComponentChildren[] = [];
  for (let index = from; index < to; index++) rows.push(renderRow(index));
  return (
    <div
      ref={ref}
      class={`rows ${props.class ?? ''}`}
      role={props.role ?? 'rowgroup'}
      onScroll={(event) => {
        const next = event.currentTarget.scrollTop;
        setTop(next);
        props.onScroll?.(next);
      }}
    >
      <div class="rows-space" role="presentation" style={{ height: `${count * rowHeight}px` }}>
        <div
          class="rows-window"
          role="presentation"
          style={{ transform: `translateY(${from * rowHeight}px)` }}
        >
          {rows}
          {overlay?.(from, to)}
        </div>
      </div>
    </div>
  );
}
