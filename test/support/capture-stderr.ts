import { stub } from 'sinon';

/** The lines that `run` writes to stderr, which then do not appear there. */
export function captureStderr(run: () => void): string[] {
  const lines: string[] = [];
  const write = stub(process.stderr, 'write').callsFake((text) => {
    lines.push(...String(text).split('\n').filter(Boolean));
    return true;
  });
  try {
    run();
  } finally {
    write.restore();
  }
  return lines;
}
