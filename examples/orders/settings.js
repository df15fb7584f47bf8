/** Where the servers are: by default as this repository's docker-compose.yml has them. */
export const settings = {
  redisUrl: process.env.REDIS_URL ?? 'redis://127.0.0.1:6379',
  databaseUrl: process.env.DATABASE_URL ?? 'postgresql://clew:clew@127.0.0.1:5432/clew',
  queueName: process.env.QUEUE ?? 'orders',
  port: Number(process.env.PORT ?? 0),
};
