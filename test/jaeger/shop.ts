import { fileURLToPath } from 'node:url';

import { CleanUp } from '../../src/cli/demo/clean-up.ts';
import { startDatabase } from '../../src/cli/demo/database.ts';
import { scenes } from '../../src/cli/demo/scenes.ts';
import { shopFolder } from '../../src/cli/demo/shop-folder.ts';
import { REGISTER_URL, RunningNode, type Result } from '../support/run-node.ts';

const SERVER = fileURLToPath(new URL('server.js', shopFolder));

/** What a request of the demo is answered with. */
const STATUS: Record<string, number> = { 'GET /reports': 500 };

/** The demo's shop under the preload, which exports to a Jaeger. */
export class Shop {
  readonly #process: RunningNode;
  readonly #cleanUp: CleanUp;
  readonly #port: number;

  private constructor(process: RunningNode, cleanUp: CleanUp, port: number) {
    this.#process = process;
    this.#cleanUp = cleanUp;
    this.#port = port;
  }

  static async start(
    databaseUrl: string,
    otlpUrl: string,
    env: Record<string, string> = {},
  ): Promise<Shop> {
    const cleanUp = new CleanUp();
    const database = await startDatabase(databaseUrl, cleanUp);
    const shop = new RunningNode(['--import', REGISTER_URL, SERVER], {
      env: {
        ...database.env,
        DATABASE_URL: database.url,
        PORT: '0',
        OTEL_SERVICE_NAME: 'shop',
        OTEL_EXPORTER_OTLP_ENDPOINT: otlpUrl,
        OTEL_BSP_SCHEDULE_DELAY: '50',
        ...env,
      },
    });
    const [, port] = await shop.waitFor(/port (\d+)/);
    return new Shop(shop, cleanUp, Number(port));
  }

  /** Sends the requests of the demo and returns how many there were. */
  async play(): Promise<number> {
    let sent = 0;
    for (const { requests } of scenes) {
      await Promise.all(requests.map((request) => this.send(request)));
      sent += requests.length;
    }
    return sent;
  }

  /** Sends a request like `GET /products`. */
  async send(request: string, headers: Record<string, string> = {}): Promise<void> {
    const [method = 'GET', path = '/'] = request.split(' ');
    const response = await fetch(`http://127.0.0.1:${this.#port}${path}`, { method, headers });
    const body = await response.text();
    const expected = STATUS[request] ?? 200;
    if (response.status !== expected) throw new Error(`${request}: ${response.status} ${body}`);
  }

  /** Ends it as people do. */
  async stop(): Promise<Result> {
    this.#process.child.kill('SIGTERM');
    const result = await this.#process.result();
    await this.#cleanUp.run();
    return result;
  }
}
