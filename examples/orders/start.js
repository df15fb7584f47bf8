// Starts the server and the worker in processes of their own, sends three orders, and ends when they
// are through. What it prints are the log lines of both.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

import { QueueEvents } from 'bullmq';
import { Redis } from 'ioredis';
import { Client } from 'pg';

import { settings } from './settings.js';

const ORDERS = ['/orders/1/2', '/orders/1/1', '/orders/2/1'];

try {
  await run();
} catch (error) {
  console.error(`Cannot run the shop: ${error.message || error.code}`);
  console.error('It needs PostgreSQL (DATABASE_URL) and Redis (REDIS_URL): see README.md.');
  process.exitCode = 1;
}

async function run() {
  await makeTables();
  const connection = await connected();
  const events = new QueueEvents(settings.queueName, { connection });
  const processes = [];
  try {
    await events.waitUntilReady();
    const [server, worker] = [startProcess('server'), startProcess('worker')];
    processes.push(server, worker);
    const [{ url }] = await Promise.all([ready(server), ready(worker)]);
    const ended = countEnds(events, ORDERS.length);
    for (const path of ORDERS) {
      const response = await fetch(`${url}${path}`, { method: 'POST' });
      if (!response.ok) throw new Error(`POST ${path} was answered with ${response.status}`);
      await response.json();
    }
    await ended;
  } finally {
    await Promise.all(processes.map(stop));
    await events.close();
    connection.disconnect();
  }
}

async function makeTables() {
  const client = new Client({ connectionString: settings.databaseUrl });
  await client.connect();
  try {
    await client.query(readFileSync(new URL('schema.sql', import.meta.url), 'utf8'));
  } finally {
    await client.end();
  }
}

async function connected() {
  const options = { lazyConnect: true, maxRetriesPerRequest: null, retryStrategy: null };
  const connection = new Redis(settings.redisUrl, options);
  connection.on('error', () => {});
  await connection.connect();
  return connection;
}

function startProcess(role) {
  return fork(fileURLToPath(new URL('main.js', import.meta.url)), [role], {
    cwd: fileURLToPath(new URL('.', import.meta.url)),
    execArgv: ['--import', 'clew/register'],
    env: { OTEL_SERVICE_NAME: `orders-${role}`, ...process.env },
  });
}

async function ready(child) {
  const ended = once(child, 'exit').then(([code]) => {
    throw new Error(`a process of the shop ended with code ${code}`);
  });
  ended.catch(() => {});
  const [message] = await Promise.race([once(child, 'message'), ended]);
  return message;
}

function countEnds(events, count) {
  return new Promise((resolve) => {
    let ended = 0;
    const note = () => (ended += 1) === count && resolve();
    events.on('completed', note).on('failed', note);
  });
}

async function stop(child) {
  if (child.exitCode !== null) return;
  const exited = once(child, 'exit');
  if (child.connected) child.disconnect();
  await exited;
}
