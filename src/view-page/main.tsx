import { render } from 'preact';
import { useEffect } from 'preact/hooks';

import { toggleTheme } from './base/theme.ts';
import { useKeys } from './base/use-keys.ts';
import { route } from './data/route.ts';
import { problem, startStore, trace } from './data/store.ts';
import { FindingsPage } from './findings/findings-page.tsx';
import { ListPage } from './overview/list-page.tsx';
import { FileDrop } from './shell/file-drop.tsx';
import { Header } from './shell/header.tsx';
import { Help, helpOpen } from './shell/help.tsx';
import { TracePage } from './trace/trace-page.tsx';

function Page() {
  useKeys({
    '?': () => (helpOpen.value = true),
    t: toggleTheme,
  });
  const { page } = route.value;
  const name = page === 'trace' ? trace.value?.request.name : undefined;
  useEffect(() => void (document.title = name === undefined ? 'clew' : `${name} · clew`), [name]);
  return (
    <>
      <Header />
      {problem.value !== undefined && (
        <div class="problem" role="alert">
          <p>{problem.value}</p>
          <button type="button" class="button" onClick={() => (problem.value = undefined)}>
            Close
          </button>
        </div>
      )}
      {page === 'list' && <ListPage />}
      {page === 'trace' && <TracePage />}
      {page === 'findings' && <FindingsPage />}
      <FileDrop />
      <Help />
    </>
  );
}

const element = document.getElementById('page');
if (element) render(<Page />, element);
startStore();
