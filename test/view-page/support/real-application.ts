import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

import type { Client as ClientClass } from 'pg';

import { scenes } from '../../../src/cli/demo/scenes.ts';
import { startViewer, type RunningViewer } from '../../../src/cli/view/start.ts';
import { bundlePage } from '../../support/bundle-page.ts';
import type { RequestRow } from '../../../src/viewer/model.ts';
import { closeAtEnd } from './close-pages.ts';
import { fixture, REGISTER_URL, RunningNode } from '../../support/run-node.ts';

/*
 * A viewer, and real applications that send it their spans: the shop of the examples with its
 * PostgreSQL, and a workshop that has what the shop has not.
 */

const SHOP = new URL('../../../../examples/shop/', import.meta.url);
const PAGE = fileURLToPath(new URL('../../../package/view-page/', import.meta.url));

/** A viewer that listens at free ports; the page is built where it is not yet. */
export async function startPage(): Promise<RunningViewer & { otlpUrl: string }> {
  if (!existsSync(`${PAGE}/page.js`)) await bundlePage(PAGE);
  const viewer = await startViewer({ files: [], port: 0, otlpPort: 0 });
  return { ...viewer, otlpUrl: viewer.otlpUrl ?? '' };
}

/** Sends made-up spans as an application does. */
export async function send(otlpUrl: string, request: object): Promise<void> {
  const response = await fetch(`${otlpUrl}/v1/traces`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(request),
  });
  if (!response.ok) throw new Error(`${response.status}: ${await response.text()}`);
}

/** Resolves once it is true; fails after a while. */
export async function until(what: string, condition: () => boolean): Promise<void> {
  for (let left = 1000; left > 0; left--) {
    if (condition()) return;
    await new Promise((resolve) => setTimeout(resolve, 15));
  }
  throw new Error(`waited in vain for ${what}`);
}

/** An application under the preload whose spans go to a viewer. */
export class Application {
  readonly #child: RunningNode;
  readonly url: string;

  private constructor(child: RunningNode, port: string) {
    this.#child = child;
    this.url = `http://127.0.0.1:${port}`;
  }

  static async start(
    file: string,
    otlpUrl: string,
    env: Record<string, string> = {},
  ): Promise<Application> {
    const child = new RunningNode(['--import', REGISTER_URL, file], {
      env: {
        OTEL_EXPORTER_OTLP_ENDPOINT: otlpUrl,
        OTEL_BSP_SCHEDULE_DELAY: '50',
        CLEW_TRACER: 'watch',
        CLEW_RESOURCE_SPANS: '1',
        CLEW_PRINT_REQUESTS: '0',
        ...env,
      },
    });
    const [, port = ''] = await child.waitFor(/listens on port (\d+)/);
    return new Application(child, port);
  }

  /** Sends `METHOD /path` and reads the answer. */
  async ask(request: string): Promise<void> {
    const [method = 'GET', path = '/'] = request.split(' ');
    const response = await fetch(this.url + path, { method });
    await response.arrayBuffer();
  }

  /** All that the workshop has to offer. */
  async goRound(): Promise<void> {
    await this.ask('GET /orders');
    await Promise.all(['GET /orders', 'GET /orders', 'GET /report'].map((one) => this.ask(one)));
    await this.ask('GET /broken');
    await this.ask('GET /letters');
  }

  async stop(): Promise<void> {
    this.#child.child.kill('SIGTERM');
    await this.#child.result();
  }
}

/** The demo's shop, at this PostgreSQL, after what the demo asks it, three times. */
export async function visitShop(otlpUrl: string, databaseUrl: string): Promise<Application> {
  const { default: pg } = (await import('pg')) as unknown as {
    default: { Client: typeof ClientClass };
  };
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  await client.query('DROP SCHEMA IF EXISTS clew_page CASCADE; CREATE SCHEMA clew_page');
  await client.query('SET search_path TO clew_page');
  await client.query(readFileSync(new URL('schema.sql', SHOP), 'utf8'));
  await client.end();
  const shop = await Application.start(fileURLToPath(new URL('server.js', SHOP)), otlpUrl, {
    DATABASE_URL: databaseUrl,
    PGOPTIONS: '-c search_path=clew_page',
    OTEL_SERVICE_NAME: 'shop',
  });
  for (let round = 0; round < 3; round++) {
    for (const { requests } of scenes) await Promise.all(requests.map((one) => shop.ask(one)));
  }
  return shop;
}

/** The workshop after a round of its requests. */
export async function visitWorkshop(otlpUrl: string): Promise<Application> {
  const workshop = await Application.start(fixture('view-page/workshop.mjs'), otlpUrl, {
    OTEL_SERVICE_NAME: 'workshop',
  });
  await workshop.goRound();
  return workshop;
}

/** The request that fits, by the viewer's own list. */
export function findRequest(
  viewer: RunningViewer,
  fits: (row: RequestRow) => boolean,
): RequestRow | undefined {
  return viewer.viewer.requests(new URLSearchParams({ limit: '1000' })).requests.find(fits);
}

/** An order that waited while a report was computed. */
export function isHeldUp({ name, blockedBy }: RequestRow): boolean {
  return name === 'GET /orders' && blockedBy?.name === 'GET /report';
}

/** A viewer that holds what the shop and the workshop did; shared by the suites of a run. */
export interface World {
  viewer: RunningViewer & { otlpUrl: string };
  databaseUrl: string;
}

let world: Promise<World> | undefined;

export function visitedWorld(databaseUrl: string): Promise<World> {
  return (world ??= visit(databaseUrl));
}

async function visit(databaseUrl: string): Promise<World> {
  const viewer = await startPage();
  closeAtEnd(() => viewer.stop());
  const shop = await visitShop(viewer.otlpUrl, databaseUrl);
  await shop.stop();
  const workshop = await visitWorkshop(viewer.otlpUrl);
  // On a busy machine others may hold the loop longer than the report does.
  for (let rounds = 0; rounds < 20 && !findRequest(viewer, isHeldUp); rounds++) {
    await workshop.goRound();
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  // What is not sent yet is sent when it ends.
  await workshop.stop();
  return { viewer, databaseUrl };
}
