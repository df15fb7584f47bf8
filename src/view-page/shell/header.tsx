import { theme, toggleTheme } from '../base/theme.ts';
import { count, number } from '../base/format.ts';
import { go, goToList, route } from '../data/route.ts';
import { connected, findings, source, summary } from '../data/store.ts';
import { fileChooser } from './file-drop.tsx';
import { helpOpen } from './help.tsx';
import { Logo } from './logo.tsx';
import type { Summary } from '../../viewer/model.ts';

export function Header() {
  const about = summary.value;
  const found = findings.value.length;
  return (
    <header class="header">
      <a
        class="brand"
        href="#/"
        aria-label="clew: all requests"
        onClick={(event) => {
          event.preventDefault();
          goToList();
        }}
      >
        <Logo />
        <span class="wordmark">clew</span>
      </a>
      {about && (
        <p class="where">
          <SourceState />
          <SourceName source={about.source} services={about.services} />
          <span class="quiet where-counts">
            {count(about.traces, 'request')} · {count(about.spans, 'span')}
            {about.dropped.traces > 0 && ` · ${number(about.dropped.traces)} older let go`}
          </span>
        </p>
      )}
      <nav class="tools" aria-label="Page">
        {found > 0 && (
          <button
            type="button"
            class="button finding-button"
            aria-current={route.value.page === 'findings' ? 'page' : undefined}
            onClick={() => go({ page: 'findings' })}
          >
            {count(found, 'finding')}
          </button>
        )}
        {source.addFile && (
          <button
            type="button"
            class="button wide-only"
            title="Read a .clew recording or OTLP in JSON; or drop one anywhere on the page"
            onClick={() => fileChooser()}
          >
            Open file
          </button>
        )}
        {source.html !== undefined && (
          <a
            class="button wide-only"
            href={source.html}
            download="clew.html"
            title="One file with all of this, to be sent"
          >
            Save HTML
          </a>
        )}
        <button
          type="button"
          class="button icon"
          aria-label={theme.value === 'dark' ? 'Use light colours' : 'Use dark colours'}
          title="Light or dark (t)"
          onClick={toggleTheme}
        >
          <svg viewBox="0 0 16 16" width="16" height="16" aria-hidden="true">
            <circle cx="8" cy="8" r="6" fill="none" stroke="currentColor" stroke-width="1.5" />
            <path d="M8 2a6 6 0 0 1 0 12z" fill="currentColor" />
          </svg>
        </button>
        <button
          type="button"
          class="button icon"
          aria-label="Help and keys"
          title="Help and keys (?)"
          onClick={() => (helpOpen.value = true)}
        >
          ?
        </button>
      </nav>
    </header>
  );
}

/** What is shown: the file, or the address of this page; a saved page of a live one has its services. */
function SourceName({ source: { kind, name }, services }: Pick<Summary, 'source' | 'services'>) {
  const isLive = kind === 'live';
  const names = services.map((service) => service.name);
  const shown = !isLive ? name : source.listen ? window.location.host : names.join(', ');
  const title = isLive ? `Spans are received at ${name}` : name;
  return (
    <span class="where-name" title={title}>
      {shown}
    </span>
  );
}

function SourceState() {
  if (!source.listen) return <span class="state">saved</span>;
  if (!connected.value) return <span class="state state-off">not answering</span>;
  return summary.value?.source.kind === 'live' ? (
    <span class="state state-live">live</span>
  ) : (
    <span class="state">file</span>
  );
}
