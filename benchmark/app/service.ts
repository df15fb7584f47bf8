import type * as http from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';

/*
 * The application under measurement: `GET /products/:id` makes two queries and one Redis command,
 * by the framework that the argument names. Its libraries are those of the folder `APP_FOLDER`.
 * It sends its port when it listens, and answers each message with what it used so far.
 */
interface Answering {
  json(body: unknown): void;
}
interface Framework {
  get(
    path: string,
    handler: (request: { params: { id: string } }, answer: Answering) => void,
  ): void;
  listen(port: number, host: string, callback: () => void): { address(): AddressInfo };
}
interface Fastify {
  get(path: string, handler: (request: { params: { id: string } }) => Promise<unknown>): void;
  listen(options: { port: number; host: string }): Promise<string>;
  server: { address(): AddressInfo | null; keepAliveTimeout: number };
}
type Listen = () => Promise<number>;

const load = createRequire(`${process.env['APP_FOLDER']}/index.js`);
// Required and not imported: the peers' preloads see that without a loader of modules.
const { createServer } = load('node:http') as typeof http;
const { Pool } = load('pg') as {
  Pool: new (options: object) => {
    query(text: string, values: unknown[]): Promise<{ rows: unknown[] }>;
  };
};
const { Redis } = load('ioredis') as {
  Redis: new (url: string) => { get(key: string): Promise<unknown> };
};

const pool = new Pool({ connectionString: process.env['DATABASE_URL'], max: 10 });
const redis = new Redis(process.env['REDIS_URL'] ?? '');

async function product(id: string): Promise<unknown> {
  const found = await pool.query('SELECT $1::int AS id, $2::text AS name', [id, 'a product']);
  const stock = await pool.query('SELECT $1::int AS product, 12 AS count', [id]);
  return { product: found.rows[0], stock: stock.rows[0], price: await redis.get(`price:${id}`) };
}

const LISTEN: Record<string, Listen> = {
  plain: async () => {
    const server = createServer((request, response) => {
      const [, id = '0'] = /^\/products\/(\d+)$/.exec(request.url ?? '') ?? [];
      void product(id).then((body) => {
        response.setHeader('content-type', 'application/json');
        response.end(JSON.stringify(body));
      });
    });
    server.keepAliveTimeout = 0;
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return (server.address() as AddressInfo).port;
  },
  express: async () => {
    const app = (load('express') as () => Framework)();
    app.get('/products/:id', (request, answer) => {
      void product(request.params.id).then((body) => answer.json(body));
    });
    return new Promise((resolve) => {
      const server = app.listen(0, '127.0.0.1', () => resolve(server.address().port));
      Object.assign(server, { keepAliveTimeout: 0 });
    });
  },
  fastify: async () => {
    const app = (load('fastify') as () => Fastify)();
    app.get('/products/:id', (request) => product(request.params.id));
    await app.listen({ port: 0, host: '127.0.0.1' });
    app.server.keepAliveTimeout = 0;
    return app.server.address()!.port;
  },
};

const listen = LISTEN[process.argv[2] ?? ''];
if (listen === undefined) throw new Error(`There is no framework ${process.argv[2]}`);
const port = await listen();
process.send?.({ port });

process.on('message', () => {
  const { user, system } = process.cpuUsage();
  // Since Node 24; what a tool does in threads of its own is the difference.
  const { threadCpuUsage } = process as { threadCpuUsage?: () => NodeJS.CpuUsage };
  const main = threadCpuUsage?.call(process) ?? { user: Number.NaN, system: Number.NaN };
  process.send?.({
    cpu: user + system,
    main: main.user + main.system,
    memory: process.memoryUsage.rss(),
  });
});
process.on('disconnect', () => process.exit());
