/** A ball of thread, of which one end leads out. */
export function Logo() {
  return (
    <svg class="logo" viewBox="0 0 44 28" width="44" height="28" aria-hidden="true">
      <g fill="none" stroke="currentColor" stroke-width="1.7" stroke-linecap="round">
        <circle cx="14" cy="14" r="11" />
        <path d="M4.6 9.2C9 6.2 17 6.4 23 11.4" />
        <path d="M3 14.4C8.4 10 18.4 10.6 24.4 17" />
        <path d="M4.2 19.4C9 14.4 17 15 22 21.6" />
        <path d="M9 4.4C14 9 16 18 13 25" />
        <path d="M15.6 3.2C20 8.6 20.6 17.6 18.4 24" />
        <path d="M13.4 25C22 26.4 27 25.4 31 22.4S39 19.6 42.6 23.4" />
      </g>
    </svg>
  );
}
