// Works on the queued orders. There is no tracing code here, on purpose.
import { Worker } from 'bullmq';
import { Redis } from 'ioredis';
import { Pool } from 'pg';

/** Resolves to the worker of BullMQ once it takes jobs; `close` ends it. */
export async function startWorker({ redisUrl, databaseUrl, queueName, log }) {
  const connection = new Redis(redisUrl, { maxRetriesPerRequest: null });
  const pool = new Pool({ connectionString: databaseUrl, max: 2 });

  async function order({ id, data: { product, quantity } }) {
    const client = await pool.connect();
    try {
      await client.query('BEGIN');
      const update = 'UPDATE products SET stock = stock - $2 WHERE id = $1 AND stock >= $2';
      const { rowCount } = await client.query(update, [product, quantity]);
      if (rowCount === 0) throw new Error('not enough in stock');
      const insert = 'INSERT INTO orders (product_id, quantity) VALUES ($1, $2) RETURNING id';
      const { rows } = await client.query(insert, [product, quantity]);
      await client.query('COMMIT');
      log.info({ job: id, order: rows[0].id }, 'order placed');
    } catch (error) {
      await client.query('ROLLBACK');
      log.error({ job: id, reason: error.message }, 'order failed');
      throw error;
    } finally {
      client.release();
    }
  }

  const worker = new Worker(queueName, order, { connection });
  await worker.waitUntilReady();
  return {
    worker,
    async close() {
      await worker.close();
      await connection.quit();
      await pool.end();
    },
  };
}
