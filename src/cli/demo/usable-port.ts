import { once } from 'node:events';
import { createServer } from 'node:net';

import { ClewError, optionError } from '../../base/errors.ts';

/** The port that was asked for, tried on loopback: `ERR_OPTION` for no port, `ERR_PORT_IN_USE`. */
export async function usablePort(text: string): Promise<number> {
  const port = Number(text);
  if (!Number.isInteger(port) || port < 0 || port > 65_535 || text.trim() === '') {
    throw optionError('--port', 'a whole number from 0 to 65535', text);
  }
  const server = createServer().listen(port, '127.0.0.1');
  try {
    await once(server, 'listening');
  } catch (error) {
    throw new ClewError(
      'ERR_PORT_IN_USE',
      `port ${port} cannot be used (${(error as { code?: string }).code}). ` +
        'Choose another with --port, or leave it out for a free one.',
      { cause: error },
    );
  }
  server.close();
  await once(server, 'close');
  return port;
}
