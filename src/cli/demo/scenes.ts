/** Requests that are sent together, and what there is to see. */
export interface Scene {
  title: string;
  /** `METHOD /path`, sent all at once. */
  requests: string[];
}

export const scenes: readonly Scene[] = [
  { title: 'A read', requests: ['GET /products'] },
  { title: 'A transaction on one connection', requests: ['POST /orders/1/2'] },
  { title: 'A query that fails', requests: ['GET /reports'] },
  {
    title: 'Six requests at once, for a pool of two connections',
    requests: [
      'GET /products/1',
      'GET /products/2',
      'GET /products/3',
      'GET /products',
      'POST /orders/2/1',
      'GET /products/2',
    ],
  },
];

/** What is sent to `examples/orders`, where there is a Redis. */
export const ordersScene: Scene = {
  title: 'A request, and its job in another process',
  requests: ['POST /orders/1/1'],
};
