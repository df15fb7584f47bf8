import { stub } from 'sinon';

/** Collects what this process writes to stderr until `stop()`. */
export function captureStderr(): { text(): string; stop(): void } {
  const write = stub(process.stderr, 'write').returns(true);
  return {
    text: () => write.args.map(([chunk]) => String(chunk)).join(''),
    stop: () => write.restore(),
  };
}
