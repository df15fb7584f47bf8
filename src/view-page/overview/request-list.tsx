import { signal } from '@preact/signals';
import { useEffect, useMemo, useRef } from 'preact/hooks';

import type { RequestRow } from '../../viewer/model.ts';
import { clock, count, dateAndTime, duration, number } from '../base/format.ts';
import { PartsBar, partsText } from '../base/parts-bar.tsx';
import { useKeys } from '../base/use-keys.ts';
import { narrow } from '../base/use-size.ts';
import { VirtualRows } from '../base/virtual-rows.tsx';
import { go, routeHash } from '../data/route.ts';
import {
  held,
  inserted,
  leftOut,
  letIn,
  loaded,
  loadMore,
  rows,
  searching,
  summary,
  total,
  waiting,
} from '../data/store.ts';

/** The line the keys stand on, by its trace: lines before it come and go. */
const cursor = signal<string | undefined>();

const COLUMNS = ['Time', 'Request', 'Status', 'Duration', 'Where it went', 'Held by', 'Spans', ''];

export function RequestList() {
  const all = rows.value;
  const current = useMemo(
    () => all.findIndex(({ traceId }) => traceId === cursor.value),
    [all, cursor.value],
  );
  const scaleMs = useMemo(() => barScale(all), [all]);
  const services = (summary.value?.services.length ?? 0) > 1;

  const move = (by: number) => {
    const to = all[Math.max(0, Math.min(all.length - 1, current + by))];
    if (!to) return;
    held.value = true;
    cursor.value = to.traceId;
    requestAnimationFrame(() => document.getElementById(rowId(to))?.focus());
  };
  const open = (row: RequestRow | undefined) => {
    if (!row) return;
    cursor.value = row.traceId;
    go({ page: 'trace', traceId: row.traceId, tab: 'waterfall' });
  };
  useKeys({
    j: () => move(1),
    k: () => move(-1),
    ArrowDown: () => move(1),
    ArrowUp: () => move(-1),
    PageDown: () => move(15),
    PageUp: () => move(-15),
    Home: () => move(-Infinity),
    End: () => move(all.length),
    Enter: () => open(all[current]),
  });

  const hand = useRef({ top: 0, over: false }).current;
  const hold = () => (held.value = hand.top > 0 || hand.over || current >= 0);
  // The reader who comes back finds the line that was opened, and new ones wait.
  useEffect(() => void (held.value = current >= 0), []);

  return (
    <section
      class="list"
      aria-label="Requests"
      aria-busy={searching.value}
      onPointerEnter={() => {
        hand.over = true;
        hold();
      }}
      onPointerLeave={() => {
        hand.over = false;
        hold();
      }}
    >
      <p class="list-count quiet" role="status">
        {loaded.value &&
          (all.length === 0
            ? 'No request fits.'
            : `${count(total.value, 'request')}${total.value > all.length ? `, ${number(all.length)} are listed` : ''}${leftOut.value > 0 ? `; ${number(leftOut.value)} outside of any left out` : ''}`)}
      </p>
      {waiting.value.length > 0 && (
        <button type="button" class="pill" onClick={letIn}>
          {count(waiting.value.length, 'new request')}
        </button>
      )}
      <div class="grid" role="grid" aria-label="Requests" aria-rowcount={total.value + 1}>
        <div class="grid-head request-columns" role="row" aria-rowindex={1}>
          {COLUMNS.map((title) => (
            <span key={title} role="columnheader">
              {title || <span class="hidden">Marks</span>}
            </span>
          ))}
        </div>
        <VirtualRows
          count={all.length}
          rowHeight={narrow.value ? 52 : 30}
          current={current}
          inserted={inserted.value}
          onNearEnd={() => void loadMore()}
          onScroll={(top) => {
            hand.top = top;
            hold();
          }}
          renderRow={(index) => {
            const row = all[index];
            return (
              row && (
                <Row
                  key={row.traceId}
                  row={row}
                  index={index}
                  current={index === current}
                  reachable={index === Math.max(0, current)}
                  scaleMs={scaleMs}
                  service={services}
                  onOpen={() => open(row)}
                />
              )
            );
          }}
        />
      </div>
    </section>
  );
}

interface RowProps {
  row: RequestRow;
  index: number;
  current: boolean;
  reachable: boolean;
  scaleMs: number;
  service: boolean;
  onOpen: () => void;
}

function Row({ row, index, current, reachable, scaleMs, service, onOpen }: RowProps) {
  return (
    <div
      id={rowId(row)}
      role="row"
      class={`row request-columns ${current ? 'current' : ''}`}
      aria-rowindex={index + 2}
      aria-selected={current}
      tabIndex={reachable ? 0 : -1}
      onFocus={() => (cursor.value = row.traceId)}
      onClick={onOpen}
    >
      <span role="gridcell" class="tnum quiet c-time" title={dateAndTime(row.startMs)}>
        {clock(row.startMs)}
      </span>
      <span role="gridcell" class="c-name">
        <a
          class="name"
          tabIndex={-1}
          href={routeHash({ page: 'trace', traceId: row.traceId, tab: 'waterfall' })}
          onClick={(event) => {
            if (event.ctrlKey || event.metaKey || event.shiftKey) event.stopPropagation();
            else event.preventDefault();
          }}
        >
          {row.name}
        </a>
        {row.path !== undefined && (
          <span class={row.name.includes(' ') ? 'quiet path' : 'path told'}>{row.path}</span>
        )}
        {service && <span class="quiet service">{row.service}</span>}
      </span>
      <span role="gridcell" class={`tnum c-status ${row.error ? 'bad' : 'quiet'}`}>
        {row.error ? `✕ ${row.statusCode ?? 'failed'}` : (row.statusCode ?? '')}
      </span>
      <span role="gridcell" class="tnum c-duration">
        {duration(row.durationMs)}
      </span>
      <span
        role="gridcell"
        class="c-bar"
        title={row.parts && partsText(row.parts, undefined)}
        aria-label={row.parts ? partsText(row.parts, undefined) : 'not measured'}
      >
        <PartsBar
          parts={row.parts}
          durationMs={row.durationMs}
          scaleMs={scaleMs}
          error={row.error}
        />
      </span>
      <span role="gridcell" class="c-held">
        {row.blockedBy && (
          <span title={`${row.blockedBy.name} held the loop for ${duration(row.blockedBy.ms)}`}>
            {row.blockedBy.name} <span class="quiet tnum">{duration(row.blockedBy.ms)}</span>
          </span>
        )}
      </span>
      <span role="gridcell" class="tnum quiet c-spans">
        {number(row.spans)}
      </span>
      <span role="gridcell" class="c-marks">
        <Marks row={row} />
      </span>
    </div>
  );
}

function Marks({ row }: { row: RequestRow }) {
  return (
    <>
      {row.findings > 0 && (
        <span class="mark mark-finding" title={count(row.findings, 'finding')}>
          <span aria-hidden="true">✂ {row.findings}</span>
          <span class="hidden">{count(row.findings, 'finding')}</span>
        </span>
      )}
      {row.warnings > 0 && (
        <span class="mark mark-warning" title={count(row.warnings, 'warning')}>
          <span aria-hidden="true">⚠ {row.warnings}</span>
          <span class="hidden">{count(row.warnings, 'warning')}</span>
        </span>
      )}
      {row.incomplete && (
        <span class="mark mark-incomplete" title="A parent is missing: under way, or lost">
          incomplete
        </span>
      )}
    </>
  );
}

function rowId({ traceId }: RequestRow): string {
  return `request-${traceId}`;
}

/** What a full bar stands for: nearly all bars end before it, and a few slow ones are cut. */
function barScale(all: readonly RequestRow[]): number {
  const sorted = all.map(({ durationMs }) => durationMs).sort((a, b) => a - b);
  const most = sorted.at(-1) ?? 1;
  return Math.min(most, (sorted[Math.floor(sorted.length * 0.9)] ?? most) * 1.05);
}
