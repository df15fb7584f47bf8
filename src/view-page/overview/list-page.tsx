import { useRef } from 'preact/hooks';

import { useKeys } from '../base/use-keys.ts';
import { list, narrowList } from '../data/route.ts';
import { loaded, problem, summary } from '../data/store.ts';
import { Charts } from './charts.tsx';
import { RequestList } from './request-list.tsx';
import { SearchBar } from './search-bar.tsx';

export function ListPage() {
  const field = useRef<HTMLInputElement>(null);
  useKeys({
    '/': () => {
      field.current?.focus();
      field.current?.select();
    },
    Escape: () => {
      if (document.activeElement === field.current) field.current?.blur();
      else if (list.value.brush) narrowList({ brush: undefined });
      else if (list.value.search !== '') narrowList({ search: '' });
    },
  });
  const empty = loaded.value && summary.value?.traces === 0;
  return (
    <main class="list-page">
      <h1 class="hidden">Requests</h1>
      <SearchBar field={field} />
      {!loaded.value && problem.value === undefined && <Loading />}
      {empty && <Empty />}
      {loaded.value && !empty && (
        <>
          <Charts />
          <RequestList />
        </>
      )}
    </main>
  );
}

/** Is seen only where the first answer takes its time. */
function Loading() {
  return (
    <section class="empty late" aria-busy="true">
      <p role="status">Reading the traces…</p>
    </section>
  );
}

function Empty() {
  const live = summary.value?.source.kind === 'live';
  return (
    <section class="empty">
      <h2>{live ? 'No request yet' : 'Nothing in here'}</h2>
      {live ? (
        <p>
          Send spans in OTLP over HTTP to <code>{summary.value?.source.name}</code>, or start the
          application with <code>clew run app.js</code>. They appear here as they arrive.
        </p>
      ) : (
        <p>
          The file holds no spans. Drop a <code>.clew</code> recording or spans in OTLP’s JSON here.
        </p>
      )}
    </section>
  );
}
