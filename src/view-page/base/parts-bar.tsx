import type { Blocker, TimeParts } from '../../viewer/model.ts';
import { duration } from './format.ts';

interface PartsBarProps {
  parts: TimeParts | undefined;
  durationMs: number;
  /** What the whole width stands for. */
  scaleMs: number;
  error?: boolean;
}

export const PARTS = [
  ['running', 'running', 'runningMs'],
  ['io', 'I/O', 'ioMs'],
  ['loop', 'loop', 'loopMs'],
] as const;

/** Running, waiting for I/O, waiting for the loop: one after the other, as long as they were. */
export function PartsBar({ parts, durationMs, scaleMs, error = false }: PartsBarProps) {
  const width = percent(durationMs, scaleMs);
  return (
    <span
      class={`parts ${error ? 'parts-error' : ''} ${durationMs > scaleMs ? 'parts-cut' : ''}`}
      role="presentation"
    >
      <span class="parts-whole" style={{ width }}>
        {parts ? (
          PARTS.map(([name, , key]) => (
            <i key={name} class={name} style={{ width: percent(parts[key], durationMs) }} />
          ))
        ) : (
          <i class="unknown" style={{ width: '100%' }} />
        )}
      </span>
    </span>
  );
}

export function partsText(parts: TimeParts, blockedBy: Blocker | undefined): string {
  const held = blockedBy ? `, ${duration(blockedBy.ms)} of it held by ${blockedBy.name}` : '';
  return `running ${duration(parts.runningMs)}, waiting for I/O ${duration(parts.ioMs)}, waiting for the loop ${duration(parts.loopMs)}${held}`;
}

export function percent(part: number, whole: number): string {
  return `${whole > 0 ? Math.max(0, Math.min(100, (part / whole) * 100)) : 0}%`;
}
