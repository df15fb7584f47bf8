const open: (() => Promise<void>)[] = [];

/** Has what suites share closed at the end of the run. Loads nothing: every run asks for it. */
export function closeAtEnd(close: () => Promise<void>): void {
  open.push(close);
}

export async function closePages(): Promise<void> {
  await Promise.all(open.splice(0).map((close) => close()));
}
