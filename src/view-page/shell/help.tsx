import { signal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';

export const helpOpen = signal(false);

const KEYS: [string, string][] = [
  ['j k', 'next, previous line'],
  ['Enter', 'open the request; show a span'],
  ['Esc', 'back, close, undo the brush'],
  ['/', 'search'],
  ['← →', 'fold and unfold a span'],
  ['z 0', 'zoom to a span, show all'],
  ['1 2 3', 'waterfall, threads, compare'],
  ['e', 'next span with an error, a warning or a finding'],
  ['t', 'light or dark'],
  ['?', 'this help'],
];

const WORDS: [string, string][] = [
  ['sofa', 'text anywhere in the request'],
  ['service:shop', 'a span of this service'],
  ['operation:"GET /orders"', 'a span of this name'],
  ['duration>50', 'longer than 50 ms; also <2s'],
  ['error', 'the request failed'],
  ['db.system.name=postgresql', 'a span with this attribute'],
];

/** What the keys, the colours and the words of the search mean. */
export function Help() {
  const ref = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const dialog = ref.current;
    if (helpOpen.value) dialog?.showModal();
    else dialog?.close();
  }, [helpOpen.value]);
  return (
    <dialog
      ref={ref}
      class="help"
      aria-labelledby="help-title"
      onClose={() => (helpOpen.value = false)}
      onClick={(event) => {
        if (event.target === event.currentTarget) helpOpen.value = false;
      }}
    >
      <div class="help-body">
        <h2 id="help-title">Reading this page</h2>
        <h3>Where the time of a request went</h3>
        <ul class="legend-list">
          <li>
            <i class="swatch running" /> <b>running</b> its own JavaScript ran
          </li>
          <li>
            <i class="swatch io" /> <b>I/O</b> the event loop was idle: it really waited for
            something outside
          </li>
          <li>
            <i class="swatch loop" /> <b>loop</b> it could have run, and others held the event loop
          </li>
        </ul>
        <div class="help-columns">
          <div>
            <h3>Keys</h3>
            <dl class="help-list">
              {KEYS.map(([keys, text]) => (
                <div key={keys}>
                  <dt>
                    {keys.split(' ').map((key) => (
                      <kbd key={key}>{key}</kbd>
                    ))}
                  </dt>
                  <dd>{text}</dd>
                </div>
              ))}
            </dl>
          </div>
          <div>
            <h3>Search</h3>
            <dl class="help-list help-words">
              {WORDS.map(([word, text]) => (
                <div key={word}>
                  <dt>
                    <code>{word}</code>
                  </dt>
                  <dd>{text}</dd>
                </div>
              ))}
            </dl>
          </div>
        </div>
        <form method="dialog">
          <button class="button" type="submit">
            Close
          </button>
        </form>
      </div>
    </dialog>
  );
}
