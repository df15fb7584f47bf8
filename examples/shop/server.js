// A small shop: node:http and a pool of PostgreSQL connections, and nothing else. There is no
// tracing code here, on purpose.
import { createServer } from 'node:http';
import { Pool } from 'pg';

const pool = new Pool({
  connectionString: process.env.DATABASE_URL,
  max: Number(process.env.POOL_SIZE ?? 2),
});

const routes = {
  'GET /products': async () => {
    const { rows } = await pool.query('SELECT id, name, price_cents FROM products ORDER BY id');
    return rows;
  },

  'GET /products/:id': async ([id]) => {
    const { rows } = await pool.query('SELECT * FROM products WHERE id = $1', [id]);
    return rows[0];
  },

  'POST /orders/:id/:quantity': async ([id, quantity]) => {
    const client = await pool.connect();
    try {
      await client.query('BEGIN');
      const update = 'UPDATE products SET stock = stock - $2 WHERE id = $1 AND stock >= $2';
      const { rowCount } = await client.query(update, [id, quantity]);
      if (rowCount === 0) throw new Error('not enough in stock');
      const insert = 'INSERT INTO orders (product_id, quantity) VALUES ($1, $2) RETURNING id';
      const { rows } = await client.query(insert, [id, quantity]);
      await client.query('COMMIT');
      return { order: rows[0].id };
    } catch (error) {
      await client.query('ROLLBACK');
      throw error;
    } finally {
      client.release();
    }
  },

  // Nobody has written the migration for this one yet.
  'GET /reports': async () => {
    const { rows } = await pool.query("SELECT * FROM reports WHERE owner = 'ariadne@example.org'");
    return rows;
  },
};

function findRoute(method, path) {
  const parts = path.split('/');
  for (const [route, handler] of Object.entries(routes)) {
    const [routeMethod, pattern] = route.split(' ');
    const wanted = pattern.split('/');
    if (routeMethod !== method || wanted.length !== parts.length) continue;
    if (!wanted.every((part, i) => part.startsWith(':') || part === parts[i])) continue;
    return { handler, values: parts.filter((_, i) => wanted[i].startsWith(':')) };
  }
  return undefined;
}

const server = createServer(async (request, response) => {
  const answer = (status, body) => {
    response.writeHead(status, { 'content-type': 'application/json' });
    response.end(JSON.stringify(body));
  };
  const route = findRoute(request.method, new URL(request.url, 'http://shop').pathname);
  if (!route) return answer(404, { error: 'no such page' });
  try {
    answer(200, (await route.handler(route.values)) ?? null);
  } catch (error) {
    answer(500, { error: error.message });
  }
});

server.listen(Number(process.env.PORT ?? 3000), process.env.HOST ?? '127.0.0.1', () => {
  console.log(`shop listens on port ${server.address().port}`);
});
