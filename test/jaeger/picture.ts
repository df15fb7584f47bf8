import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { RECORD_HEADER, signRecordHeader } from '../../src/tracer/recording/signed-header.ts';
import { createInstance } from '../support/instances.ts';
import { JaegerQuery } from '../support/jaeger-query.ts';
import { JAEGER, startJaeger } from '../support/jaeger.ts';
import { drawTrace, type ShownTrace } from './draw-trace.ts';
import { Shop } from './shop.ts';

/*
 * Draws docs/images/marked-request.svg: a marked request of the demo, among others that want the same
 * two connections, as a real Jaeger gives it back. Jaeger's own page is not part of its Go module.
 */
const FILE = fileURLToPath(new URL('../../../docs/images/marked-request.svg', import.meta.url));
const SECRET = 'sixteen characters and more';
const MARKED = { method: 'POST', url: '/orders/2/1' };

const [database, jaeger] = await Promise.all([createInstance('postgresql'), startJaeger()]);
if (typeof database === 'string') throw new Error(`no PostgreSQL: ${database}`);
if (typeof jaeger === 'string') throw new Error(`no Jaeger: ${jaeger}`);
const folder = mkdtempSync(join(tmpdir(), 'clew-picture-'));
try {
  const shop = await Shop.start(database.url, jaeger.otlpUrl, {
    CLEW_RECORD_SECRET: SECRET,
    CLEW_RECORD_FOLDER: folder,
  });
  // The first of everything compiles code.
  const played = (await shop.play()) + (await shop.play());
  const header = signRecordHeader({ secret: SECRET, ...MARKED });
  await Promise.all([
    shop.send('GET /products'),
    shop.send('GET /products'),
    shop.send(`${MARKED.method} ${MARKED.url}`, { [RECORD_HEADER]: header }),
  ]);
  await shop.stop();
  const ids = await new JaegerQuery(jaeger.queryUrl).waitForTraces('shop', played + 3);
  const traces = await Promise.all(ids.map(read));
  const marked = traces.find((trace) =>
    trace.spans.some((span) => span.operationName === 'async resources'),
  );
  if (!marked) throw new Error('no trace with async resources in Jaeger');
  mkdirSync(join(FILE, '..'), { recursive: true });
  writeFileSync(FILE, drawTrace(marked, `Jaeger (module ${JAEGER.version})`));
} finally {
  await Promise.all([database.stop(), jaeger.stop()]);
  rmSync(folder, { recursive: true });
}

async function read(id: string): Promise<ShownTrace> {
  const response = await fetch(`${(jaeger as { queryUrl: string }).queryUrl}/api/traces/${id}`);
  const { data } = (await response.json()) as { data: [ShownTrace] };
  return data[0];
}
