import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { ByteWriter } from '../../../src/export/encoding/byte-writer.ts';
import {
  encodeResource,
  encodeScope,
  encodeSpan,
} from '../../../src/export/encoding/encode-span.ts';
import {
  beginFrame,
  endFrame,
  SPAN,
  writeOrigin,
} from '../../../src/export/encoding/frame-format.ts';
import { buildBody } from '../../../src/export/encoding/request-body.ts';
import { DeliveryLog } from '../../../src/export/sender/delivery-log.ts';
import { SpoolIndex } from '../../../src/export/spool/spool-index.ts';
import { createFile, SPOOL_MAGIC } from '../../../src/export/spool/file-safety.ts';
import { decodeRequest } from '../../support/otlp-protobuf.ts';
import type { OtlpRequest } from '../../support/otlp-types.ts';
import { makeSpan } from '../support/spans.ts';

const SPANS = 4;

/** A small spool file: two origins, two spans of each. */
function makeFile(): Buffer {
  const writer = new ByteWriter(1024);
  const resource = encodeResource({ attributes: { 'service.name': 'shop' } });
  for (const id of [0, 1]) {
    writeOrigin(writer, id, { resource, scope: encodeScope({ name: `scope ${id}` }) });
    for (let i = 0; i < SPANS / 2; i++) {
      const start = beginFrame(writer, SPAN, id);
      encodeSpan(writer, makeSpan());
      endFrame(writer, start, true);
    }
  }
  return Buffer.concat([SPOOL_MAGIC, writer.buffer.subarray(0, writer.position)]);
}

describe('a damaged spool file', () => {
  let folder: string;
  let path: string;
  const file = makeFile();
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'clew-damage-'));
    path = join(folder, '00000001.spool');
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  /** Adopts a file and delivers it. */
  function deliver(bytes: Buffer): { unreadable: number; requests: OtlpRequest[] } {
    rmSync(path, { force: true });
    rmSync(`${path.slice(0, -6)}.0.done`, { force: true });
    createFile(path);
    writeFileSync(path, bytes);
    const voice = new DeliveryLog('http://127.0.0.1:4318', () => undefined);
    const ledger = new SpoolIndex({ folder, maxBytes: 1e9, maxAgeMillis: 1e9 }, voice);
    let { unreadable } = ledger.adopt(path);
    const requests: OtlpRequest[] = [];
    while (ledger.hasWaiting) {
      const { slice, count } = ledger.load();
      unreadable += count - (slice?.count ?? 0);
      if (!slice) continue;
      requests.push(decodeRequest(buildBody([slice])));
      ledger.settle(slice);
    }
    return { unreadable, requests };
  }

  function count(requests: OtlpRequest[]): number {
    const scopes = requests.flatMap(({ resourceSpans }) =>
      resourceSpans.flatMap(({ scopeSpans }) => scopeSpans),
    );
    return scopes.reduce((sum, { spans }) => sum + spans.length, 0);
  }

  it('loses no span without counting it, whichever byte is damaged', () => {
    assert.deepEqual([count(deliver(file).requests), deliver(file).unreadable], [SPANS, 0]);
    for (let position = 0; position < file.length; position++) {
      for (const mask of [0x01, 0xff]) {
        const damaged = Buffer.from(file);
        damaged.writeUInt8(damaged.readUInt8(position) ^ mask, position);
        const { unreadable, requests } = deliver(damaged);
        const delivered = count(requests);
        // A file that does not begin as one is refused, named and left where it is.
        if (position < SPOOL_MAGIC.length) assert.ok(existsSync(path));
        else assert.ok(delivered + unreadable >= SPANS, `byte ${position}: ${delivered}`);
        assert.ok(delivered >= SPANS - 1 || position < SPOOL_MAGIC.length, `byte ${position}`);
      }
    }
  });

  it('delivers spans whose origin is lost under an unknown service', () => {
    const damaged = Buffer.from(file);
    const inFirstOrigin = SPOOL_MAGIC.length + 20;
    damaged.writeUInt8(damaged.readUInt8(inFirstOrigin) ^ 1, inFirstOrigin);
    const { unreadable, requests } = deliver(damaged);
    assert.equal(unreadable, 0);
    const services = requests.flatMap(({ resourceSpans }) =>
      resourceSpans.map(({ resource }) => {
        const name = resource.attributes.find(({ key }) => key === 'service.name');
        return name?.value.stringValue;
      }),
    );
    assert.deepEqual(new Set(services), new Set(['shop', 'unknown_service']));
    assert.equal(count(requests), SPANS);
  });

  it('counts a span that a process was killed while writing', () => {
    const { unreadable, requests } = deliver(file.subarray(0, -10));
    assert.deepEqual([count(requests), unreadable], [SPANS - 1, 1]);
  });
});
