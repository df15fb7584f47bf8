import assert from 'node:assert/strict';
import { dirname } from 'node:path';
import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { crc32 } from 'node:zlib';

import fc from 'fast-check';

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
import { protobufToJson } from '../../../src/export/encoding/otlp-json.ts';
import { buildBody } from '../../../src/export/encoding/request-body.ts';
import { DeliveryLog } from '../../../src/export/sender/delivery-log.ts';
import { SpoolIndex } from '../../../src/export/spool/spool-index.ts';
import { createFile, SPOOL_MAGIC } from '../../../src/export/spool/file-safety.ts';
import { decodeRequest } from '../../support/otlp-protobuf.ts';
import { damagedBytes } from '../damage.ts';
import { FULL_SPAN } from '../samples.ts';
import { scratchFile } from '../scratch.ts';
import type { Target } from '../target.ts';

const SPANS = 4;

function segment(): Buffer {
  const writer = new ByteWriter(1024);
  const resource = encodeResource({ attributes: { 'service.name': 'shop' } });
  for (const id of [0, 1]) {
    writeOrigin(writer, id, { resource, scope: encodeScope({ name: `scope ${id}` }) });
    for (let i = 0; i < SPANS / 2; i++) {
      const start = beginFrame(writer, SPAN, id);
      encodeSpan(writer, FULL_SPAN);
      endFrame(writer, start, true);
    }
  }
  return Buffer.concat([SPOOL_MAGIC, writer.buffer.subarray(0, writer.position)]);
}

/** A record of what is settled: nothing that was sent, one stretch, one beyond the end. */
function settled(offset: number, length: number): Buffer {
  const record = Buffer.alloc(12);
  record.writeUInt32LE(offset, 0);
  record.writeUInt32LE(length, 4);
  record.writeUInt32LE(crc32(record.subarray(0, 8)), 8);
  return record;
}

const SETTLED = [
  Buffer.alloc(0),
  settled(0, 100),
  settled(200, 2 ** 32 - 1),
  settled(2 ** 32 - 1, 9),
];

/** Spool files of a process that died, and the files beside them that tell what was sent. */
export const spool: Target<[Buffer, Buffer]> = {
  input: fc.tuple(damagedBytes([segment()]), damagedBytes(SETTLED)),
  check([bytes, done]) {
    const path = scratchFile('00000001.spool');
    const beside = path.replace(/spool$/, '0.done');
    for (const [file, content] of [
      [path, bytes],
      [beside, done],
    ] as const) {
      rmSync(file, { force: true });
      createFile(file);
      writeFileSync(file, content);
    }
    const voice = new DeliveryLog('http://127.0.0.1:4318', () => undefined);
    const ledger = new SpoolIndex(
      { folder: dirname(path), maxBytes: 1e9, maxAgeMillis: 1e9 },
      voice,
    );
    const { count, unreadable } = ledger.adopt(path);
    assert.ok(count + unreadable <= bytes.length, 'more spans than bytes');
    let delivered = 0;
    while (ledger.hasWaiting) {
      const { slice } = ledger.load();
      if (!slice) continue;
      const body = buildBody([slice]);
      for (const { scopeSpans } of decodeRequest(body).resourceSpans) {
        for (const { spans } of scopeSpans) delivered += spans.length;
      }
      JSON.parse(protobufToJson(body).toString('utf8'));
      ledger.settle(slice);
    }
    assert.equal(delivered, count);
    // What is done with is deleted; what is no spool file is left to its owner.
    if (bytes.subarray(0, SPOOL_MAGIC.length).equals(SPOOL_MAGIC)) {
      assert.ok(!existsSync(path));
      assert.equal(ledger.bytes, 0);
    }
    for (let i = 0; i < 3; i++) rmSync(path.replace(/spool$/, `${i}.done`), { force: true });
  },
};
