// Takes orders over HTTP and queues them. There is no tracing code here, on purpose.
import { createServer } from 'node:http';

import { Queue } from 'bullmq';
import { Redis } from 'ioredis';

/** Resolves to the server once it listens; `close` ends it. */
export async function startServer({ redisUrl, queueName, port, log }) {
  const connection = new Redis(redisUrl, { maxRetriesPerRequest: null });
  const queue = new Queue(queueName, { connection });

  const server = createServer(async (request, response) => {
    const answer = (status, body) => {
      response.writeHead(status, { 'content-type': 'application/json' });
      response.end(JSON.stringify(body));
    };
    const [, product, quantity] = /^\/orders\/(\d{1,9})\/(\d{1,9})$/.exec(request.url) ?? [];
    if (request.method !== 'POST' || product === undefined) {
      return answer(404, { error: 'POST /orders/<product>/<quantity> is the only page' });
    }
    try {
      const order = { product: Number(product), quantity: Number(quantity) };
      const job = await queue.add('order', order, { removeOnComplete: true, removeOnFail: true });
      log.info({ job: job.id }, 'order queued');
      answer(202, { job: job.id });
    } catch (error) {
      log.error(error, 'order not queued');
      answer(500, { error: 'the order could not be queued' });
    }
  });

  await new Promise((resolve, reject) => {
    server.once('error', reject).listen(port, '127.0.0.1', resolve);
  });
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    async close() {
      server.closeAllConnections();
      server.close();
      await queue.close();
      await connection.quit();
    },
  };
}
