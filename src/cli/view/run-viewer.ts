import { ClewError } from '../../base/errors.ts';
import { say } from '../../base/log.ts';
import { readConfig } from '../../config.ts';
import { appeared, describeTaken, probeCollector, probeViewer } from './collector.ts';
import { openBrowser } from './open-browser.ts';
import { portOf, startViewer } from './start.ts';

/** The viewer of `clew run --view`. */
export interface RunViewer {
  pageUrl: string;
  /** What the application needs to send its spans there. */
  env: Record<string, string>;
  stop(): Promise<void>;
}

/**
 * Starts a viewer in the process of the command, which does nothing else while the application runs
 * in its own; where one of ours listens already, the spans go there. A collector that answers where
 * the spans would have gone gets them, too.
 */
export async function startRunViewer(options: {
  open: boolean;
  /** Of the page, as it was typed; undefined: the usual one, or a free one. */
  port: string | undefined;
}): Promise<RunViewer> {
  const { open } = options;
  const port = portOf('--port', options.port);
  const { tracesUrl } = readConfig({}, process.env).config;
  const { origin } = new URL(tracesUrl);
  if (await probeViewer(origin)) {
    const pageUrl = `${origin}/`;
    if (port !== undefined) {
      const message = `A viewer is already running at ${origin}; its page is there, too.`;
      throw new ClewError('ERR_PORT_IN_USE', `${message} Leave --port out, or stop that viewer.`);
    }
    tell(pageUrl, open);
    return { pageUrl, env: {}, stop: () => Promise.resolve() };
  }
  const hasCollector = (await probeCollector(tracesUrl)) === undefined;
  const forwardTo = hasCollector ? tracesUrl : undefined;
  const running = await startViewer({
    files: [],
    port,
    otlpPort: 0,
    forwardTo,
    awaited: tracesUrl,
    onCollector: (url) => say('info', appeared(url)),
  });
  const { pageUrl, otlpUrl = '' } = running;
  const taken = await describeTaken(running);
  if (taken !== undefined) say('info', taken);
  tell(pageUrl, open);
  const env = {
    OTEL_EXPORTER_OTLP_ENDPOINT: otlpUrl,
    OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: '',
    OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json',
    // A person is watching: five seconds would be long.
    OTEL_BSP_SCHEDULE_DELAY: process.env['OTEL_BSP_SCHEDULE_DELAY'] ?? '200',
  };
  return { pageUrl, env, stop: () => running.stop() };
}

function tell(pageUrl: string, open: boolean): void {
  say('info', `the traces are on a page: ${pageUrl}`);
  if (open) openBrowser(pageUrl);
}
