import { effect, signal } from '@preact/signals';

export type Theme = 'light' | 'dark';

const KEY = 'clew-theme';
const system = matchMedia('(prefers-color-scheme: dark)');

/** What is shown: the system's choice until the reader makes one. */
export const theme = signal<Theme>(chosen() ?? ofSystem());

system.addEventListener('change', () => {
  if (chosen() === undefined) theme.value = ofSystem();
});

effect(() => {
  document.documentElement.dataset['theme'] = theme.value;
});

export function toggleTheme(): void {
  theme.value = theme.value === 'dark' ? 'light' : 'dark';
  try {
    // Back at what the system wants, it is followed again.
    if (theme.value === ofSystem()) localStorage.removeItem(KEY);
    else localStorage.setItem(KEY, theme.value);
  } catch {
    // Storage is refused to files and in private windows; the choice lasts as long as the page.
  }
}

function ofSystem(): Theme {
  return system.matches ? 'dark' : 'light';
}

function chosen(): Theme | undefined {
  try {
    const value = localStorage.getItem(KEY);
    return value === 'dark' || value === 'light' ? value : undefined;
  } catch {
    return undefined;
  }
}
