import type { RefObject } from 'preact';

import { clock, duration } from '../base/format.ts';
import { narrow } from '../base/use-size.ts';
import { list, narrowList, type Brush } from '../data/route.ts';
import { searchText, type Filter } from '../data/search-text.ts';
import { filter, leftOut, summary, zoom } from '../data/store.ts';

/** The search field, and controls that write into it. */
export function SearchBar({ field }: { field: RefObject<HTMLInputElement | null> }) {
  const { service, operation, minDuration, error } = filter.value;
  const services = summary.value?.services ?? [];
  const operations = [
    ...new Set(
      services.filter((one) => !service || one.name === service).flatMap((one) => one.operations),
    ),
  ].toSorted();
  const { brush, sort, outside } = list.value;
  return (
    <search class="search">
      <input
        ref={field}
        type="search"
        class="search-field"
        aria-label="Search requests"
        placeholder={
          narrow.value ? 'Search' : 'Search: text, service:shop, duration>50, error, key=value'
        }
        spellcheck={false}
        autocomplete="off"
        value={list.value.search}
        onInput={(event) => narrowList({ search: event.currentTarget.value })}
      />
      <div class="facets">
        <Choice
          label="Service"
          value={service}
          among={services.map((one) => one.name)}
          onChoose={(value) => write('service', value)}
        />
        <Choice
          label="Operation"
          value={operation}
          among={operations}
          onChoose={(value) => write('operation', value)}
        />
        <label class="facet">
          <span>longer than</span>
          <input
            type="number"
            min="0"
            class="ms-field"
            value={minDuration ?? ''}
            onInput={(event) => {
              const ms = event.currentTarget.valueAsNumber;
              write('minDuration', ms >= 0 ? ms : undefined);
            }}
          />
          <span>ms</span>
        </label>
        <label class="facet">
          <input
            type="checkbox"
            checked={error === true}
            onChange={(event) => write('error', event.currentTarget.checked || undefined)}
          />
          <span>failed</span>
        </label>
        <label class="facet">
          <input
            type="checkbox"
            checked={sort === 'slowest'}
            onChange={(event) =>
              narrowList({ sort: event.currentTarget.checked ? 'slowest' : 'newest' })
            }
          />
          <span>slowest first</span>
        </label>
        {(leftOut.value > 0 || outside) && (
          <label
            class="facet"
            title="Operations that no request made, such as queries at the start"
          >
            <input
              type="checkbox"
              checked={outside === true}
              onChange={(event) => narrowList({ outside: event.currentTarget.checked })}
            />
            <span>outside requests</span>
          </label>
        )}
        {brush && <BrushChip brush={brush} />}
      </div>
    </search>
  );
}

function BrushChip({ brush }: { brush: Brush }) {
  const height =
    brush.minMs === undefined || brush.maxMs === undefined
      ? ''
      : `, ${duration(brush.minMs)} to ${duration(brush.maxMs)}`;
  return (
    <span class="chip" role="status">
      <span>
        {clock(brush.fromMs)} to {clock(brush.toMs)}
        {height}
      </span>
      <button
        type="button"
        class="chip-button"
        title="Let the charts show this part only"
        onClick={() => (zoom.value = [brush.fromMs, brush.toMs])}
      >
        zoom
      </button>
      <button
        type="button"
        class="chip-button"
        aria-label="Remove the selected part"
        onClick={() => narrowList({ brush: undefined })}
      >
        ×
      </button>
    </span>
  );
}

interface ChoiceProps {
  label: string;
  value: string | undefined;
  among: readonly string[];
  onChoose: (value: string | undefined) => void;
}

function Choice({ label, value, among, onChoose }: ChoiceProps) {
  const unknown = value !== undefined && !among.includes(value);
  return (
    <select
      aria-label={label}
      class={value === undefined ? 'choice' : 'choice chosen'}
      value={value ?? ''}
      onChange={(event) => onChoose(event.currentTarget.value || undefined)}
    >
      <option value="">{label}: all</option>
      {unknown && <option value={value}>{value}</option>}
      {among.map((one) => (
        <option key={one} value={one}>
          {one}
        </option>
      ))}
    </select>
  );
}

function write<Key extends keyof Filter>(key: Key, value: Filter[Key] | undefined): void {
  const next = { ...filter.peek() };
  if (value === undefined) delete next[key];
  else next[key] = value;
  narrowList({ search: searchText(next) });
}
