// A small shop: express and a pool of PostgreSQL connections, and nothing else. There is no
// tracing code here, on purpose.
import express from 'express';
import { Pool } from 'pg';

const pool = new Pool({
  connectionString: process.env.DATABASE_URL,
  max: Number(process.env.POOL_SIZE ?? 2),
});

const app = express();

app.get('/products', async function listProducts(request, response) {
  const { rows } = await pool.query('SELECT id, name, price_cents FROM products ORDER BY id');
  response.json(rows);
});

app.get('/products/:id', async function showProduct(request, response) {
  const { rows } = await pool.query('SELECT * FROM products WHERE id = $1', [request.params.id]);
  response.json(rows[0] ?? null);
});

app.post('/orders/:id/:quantity', async function placeOrder(request, response) {
  const { id, quantity } = request.params;
  const client = await pool.connect();
  try {
    await client.query('BEGIN');
    const update = 'UPDATE products SET stock = stock - $2 WHERE id = $1 AND stock >= $2';
    const { rowCount } = await client.query(update, [id, quantity]);
    if (rowCount === 0) throw new Error('not enough in stock');
    const insert = 'INSERT INTO orders (product_id, quantity) VALUES ($1, $2) RETURNING id';
    const { rows } = await client.query(insert, [id, quantity]);
    await client.query('COMMIT');
    response.json({ order: rows[0].id });
  } catch (error) {
    await client.query('ROLLBACK');
    throw error;
  } finally {
    client.release();
  }
});

// The migration for this one is not written yet.
app.get('/reports', async function showReports(request, response) {
  const { rows } = await pool.query("SELECT * FROM reports WHERE owner = 'ariadne@example.org'");
  response.json(rows);
});

app.use((request, response) => {
  response.status(404).json({ error: 'no such page' });
});

// Four parameters are what makes it a handler of errors.
app.use(function answerError(error, request, response, next) {
  if (response.headersSent) next(error);
  else response.status(500).json({ error: error.message });
});

const server = app.listen(Number(process.env.PORT ?? 3000), process.env.HOST ?? '127.0.0.1', () => {
  console.log(`shop listens on port ${server.address().port}`);
});
